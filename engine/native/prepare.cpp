// Checks the caller's steps again and packs their weights for one instruction set.
#include <string.h>

#include "net.h"

namespace hourbit {

const void *array(const HbStep &s, int which, int64_t values, int64_t size) {
    const HbArray &found = s.arrays[which];
    if (found.data && found.bytes == values * size) return found.data;
    fail("array %d of operation %d has %lld bytes, not %lld", which, s.op, static_cast<long long>(found.bytes),
         static_cast<long long>(values * size));
    return nullptr;
}

float *copy_floats(HbNet *net, const HbStep &s, int which, int64_t expected, int64_t elements) {
    const void *from = array(s, which, expected, sizeof(float));
    float *to = from ? static_cast<float *>(allocate(net, elements * static_cast<int64_t>(sizeof(float)))) : nullptr;
    if (to) memcpy(to, from, static_cast<size_t>(expected) * sizeof(float));
    return to;
}

float *floats(HbNet *net, int32_t index, int64_t needed) {
    const bool known = index >= 0 && index < net->buffer_count;
    if (!known || net->buffers[index].bits || net->buffers[index].line || net->buffers[index].floats < needed) {
        fail("buffer %d cannot hold %lld floats", index, static_cast<long long>(needed));
        return nullptr;
    }
    return static_cast<float *>(net->data[index]);
}

uint32_t *bits(HbNet *net, int32_t index, int side, int channels) {
    if (index < 0 || index >= net->buffer_count) {
        fail("there is no buffer %d", index);
        return nullptr;
    }
    const HbBuffer &b = net->buffers[index];
    if (!b.bits || b.side != side || b.channels != channels) {
        fail("buffer %d cannot hold bits of %d x %d x %d", index, side, side, channels);
        return nullptr;
    }
    return static_cast<uint32_t *>(net->data[index]);
}

namespace {

bool line(const HbNet *net, int32_t index) {
    return index >= 0 && index < net->buffer_count && !net->buffers[index].bits && net->buffers[index].line;
}

bool within(const HbStep &s) {
    const bool sized = s.side >= 1 && s.side <= MAX_SIDE && s.channels >= 1 && s.channels <= MAX_CHANNELS;
    const bool fed = s.op == HB_STEM || (s.in_channels >= 8 && s.in_channels <= MAX_CHANNELS && s.in_channels % 8 == 0);
    const int multiple = s.op == HB_HEAD ? 1 : s.op == HB_CONV ? 8 : 16;
    const bool kept = s.op == HB_CONV || s.op == HB_STEM || s.in_channels % 16 == 0;
    const bool changes = s.op != HB_SIGN && s.op != HB_POOL && s.op != HB_UP_ADD;
    const bool same = changes || (s.in_channels == s.channels && (s.op != HB_UP_ADD || s.stride == s.channels));
    return (sized && fed && kept && same && s.channels % multiple == 0) || fail("operation %d has an impossible size", s.op);
}

// What lies outside counts as -1 (a zero bit); for zero padding this many differing bits too many are found, so
// that half sums lack as many. Classes are masks of top, bottom, left, right.
int32_t *corrections(HbNet *net, const ConvShape &shape, const uint8_t *weight) {
    const int width = padded(shape.channels), bytes = shape.in_channels / 8;
    int32_t *table = static_cast<int32_t *>(allocate(net, static_cast<int64_t>(16) * width * 4));
    if (!table) return nullptr;
    for (int edges = 1; edges < 16; ++edges)
        for (int channel = 0; channel < shape.channels; ++channel)
            for (int tap = 0; tap < 9; ++tap) {
                const int ky = tap / 3, kx = tap % 3;
                const int outside = (ky == 0) | (ky == 2) << 1 | (kx == 0) << 2 | (kx == 2) << 3;
                if (!(outside & edges)) continue;
                int set = 0;
                for (int i = 0; i < bytes; ++i)
                    for (int byte = weight[(channel * 9 + tap) * bytes + i]; byte; byte &= byte - 1) ++set;
                table[edges * width + channel] += set - shape.in_channels / 2;
            }
    return table;
}

// Packed weights and twice the scale, since half sums are multiplied.
bool prepare_weights(HbNet *net, const HbStep &s, int which, const ConvShape &shape, const void *&weight,
                     const float *&alpha) {
    const int64_t bytes = static_cast<int64_t>(shape.channels) * shape.kernel * shape.kernel * shape.in_channels / 8;
    const void *from = array(s, which, bytes, 1);
    void *packed = from ? allocate(net, net->kernels->conv_bytes(shape)) : nullptr;
    float *twice = packed ? copy_floats(net, s, which + 1, shape.channels, padded(shape.channels)) : nullptr;
    if (!twice) return false;
    net->kernels->conv_pack(shape, static_cast<const uint8_t *>(from), packed);
    for (int i = 0; i < shape.channels; ++i) twice[i] *= 2;
    weight = packed;
    alpha = twice;
    return true;
}

bool prepare_skip(HbNet *net, const HbStep &s, Conv &c) {
    if (s.skip < 0) return true;
    if (s.skip_channels < 8 || s.skip_channels > MAX_CHANNELS || s.skip_channels % 8)
        return fail("a skip of %d channels", s.skip_channels);
    c.skip_shape = {1, s.skip_channels, s.channels};
    c.skip = bits(net, s.skip, s.side, s.skip_channels);
    return c.skip && prepare_weights(net, s, 4, c.skip_shape, c.skip_weight, c.skip_alpha);
}

bool prepare_conv(HbNet *net, const HbStep *steps, int index, Step &step) {
    const HbStep &s = steps[index];
    Conv &c = step.conv;
    if (s.kernel != 1 && s.kernel != 3) return fail("a kernel of %d", s.kernel);
    if (s.pad != -1 && s.pad != 0) return fail("a padding of %d", s.pad);
    c.shape = {s.kernel, s.in_channels, s.channels};
    c.side = s.side;
    c.stride = s.stride;
    c.relu = s.relu != 0;
    c.source = bits(net, s.source, s.side, s.in_channels);
    if (!c.source || !prepare_weights(net, s, 0, c.shape, c.weight, c.alpha) || !prepare_skip(net, s, c)) return false;
    const uint8_t *weight = static_cast<const uint8_t *>(s.arrays[0].data);
    if (s.pad == 0 && s.kernel == 3 && !(c.correction = corrections(net, c.shape, weight))) return false;
    step.chained = index + 1 < net->step_count && line(net, s.target) && steps[index + 1].op == HB_HEAD;
    if (step.chained && (steps[index + 1].source != s.target || steps[index + 1].side != s.side || s.offset ||
                         s.stride != s.channels || s.stride != steps[index + 1].in_channels))
        return fail("a line that the head does not read");
    if (line(net, s.target) && !step.chained) return fail("a line without the head behind it");
    const int64_t lent = net->kernels->conv_lent ? net->kernels->conv_lent(c) : 0;
    if (lent > net->lent_bytes) net->lent_bytes = lent;
    return prepare_outputs(net, s, c);
}

bool prepare_stem(HbNet *net, const HbStep &s, Stem &stem) {
    if (2 * s.side != net->image_side) return fail("the stem does not fit the image");
    const int64_t count = static_cast<int64_t>(s.channels) * STEM_KERNEL * STEM_KERNEL * 3;
    const void *weight = array(s, 0, count, sizeof(int16_t));
    void *packed = weight ? allocate(net, net->kernels->stem_bytes(s.channels)) : nullptr;
    if (!packed) return false;
    net->kernels->stem_pack(s.channels, static_cast<const int16_t *>(weight), packed);
    const float *vectors[4];
    for (int i = 0; i < 4; ++i)
        if (!(vectors[i] = copy_floats(net, s, i + 1, s.channels, s.channels))) return false;
    stem = {s.side, s.channels, net->image, packed, vectors[0], vectors[1], vectors[2], vectors[3], nullptr, 0, {}};
    if (s.target >= 0 && !(stem.target = floats(net, s.target, area(s.side, s.channels)))) return false;
    if (s.signs_pooled) return fail("the stem has no maximum");
    return prepare_signs(net, s, s.channels, stem.signs, stem.sign_count) &&
           (stem.target || stem.sign_count || fail("a stem writes nothing"));
}

bool prepare_sign_map(HbNet *net, const HbStep &s, SignMap &map) {
    const float *source = floats(net, s.source, area(s.side, s.channels));
    const void *scale = array(s, 1, s.channels, sizeof(float)), *shift = array(s, 2, s.channels, sizeof(float));
    uint32_t *to = bits(net, s.bits, s.side, s.channels);
    if (!source || !scale || !shift || !to) return false;
    const Sign place = {reinterpret_cast<uint8_t *>(to), words(s.channels) * 4, false, nullptr, nullptr};
    map = {s.side, s.channels, source, place};
    return prepare_sign(net, place, static_cast<const float *>(scale), static_cast<const float *>(shift), s.channels,
                        map.sign);
}

bool prepare_pool(HbNet *net, const HbStep &s, Pool &pool) {
    const float *source = floats(net, s.source, 4 * area(s.side, s.channels));
    float *target = floats(net, s.target, area(s.side, s.channels));
    pool = {s.side, s.channels, source, target};
    return source && target && (s.source != s.target || fail("a pool cannot write over its source"));
}

bool prepare_up_add(HbNet *net, const HbStep &s, UpAdd &up_add) {
    const float *source = floats(net, s.source, area(s.side, s.channels) / 4);
    const float *other = floats(net, s.other, area(s.side, s.channels));
    float *target = floats(net, s.target, area(s.side, s.channels));
    up_add = {s.side, s.channels, source, other, target};
    if (s.source == s.target || s.side % 2) return fail("an impossible enlargement");
    return source && other && target;
}

bool prepare_head(HbNet *net, const HbStep *steps, int index, Head &head) {
    const HbStep &s = steps[index];
    if (net->logits) return fail("a net has one head");
    if (s.side % 4) return fail("the head's side must be a multiple of 4");
    const int64_t count = static_cast<int64_t>(s.in_channels) * s.channels;
    const bool chained = index && net->steps[index - 1].chained;
    const float *source = chained ? net->steps[index - 1].conv.target : floats(net, s.source, area(s.side, s.in_channels));
    const void *weight = array(s, 0, count, sizeof(float));
    const float *bias = copy_floats(net, s, 1, s.channels, s.channels);
    const float *scale = copy_floats(net, s, 2, s.in_channels, s.in_channels);
    const float *shift = copy_floats(net, s, 3, s.in_channels, s.in_channels);
    const int64_t scratch_bytes = static_cast<int64_t>(net->threads) * HEAD_PIXELS * s.in_channels * 4;
    void *packed = allocate(net, net->kernels->head_bytes(s.in_channels, s.channels));
    float *scratch = static_cast<float *>(allocate(net, scratch_bytes));
    if (!source || !weight || !bias || !scale || !shift || !packed || !scratch) return false;
    net->kernels->head_pack(s.in_channels, s.channels, static_cast<const float *>(weight), packed);
    head = {s.side, s.in_channels, s.channels, source, packed, bias, scale, shift, scratch, nullptr};
    net->logits = area(s.side, s.channels);
    return true;
}

}  // namespace

bool prepare(HbNet *net, const HbStep *steps, int index) {
    const HbStep &s = steps[index];
    Step &step = net->steps[index];
    step.op = s.op;
    step.rows = s.side;
    if (s.op >= HB_MEAN && s.op <= HB_MIX) return prepare_more(net, s, step);
    if (!within(s)) return false;
    switch (s.op) {
        case HB_STEM: return prepare_stem(net, s, step.stem);
        case HB_SIGN: return prepare_sign_map(net, s, step.sign);
        case HB_CONV: return prepare_conv(net, steps, index, step);
        case HB_POOL: return prepare_pool(net, s, step.pool);
        case HB_UP_ADD: return prepare_up_add(net, s, step.up_add);
        case HB_HEAD: return prepare_head(net, steps, index, step.head);
        default: return fail("unknown operation %d", s.op);
    }
}

}  // namespace hourbit
