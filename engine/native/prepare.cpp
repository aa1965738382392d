// Checks the caller's steps again and packs their weights for one instruction set.
#include <string.h>

#include "net.h"

namespace hourbit {
namespace {

// One of a step's arrays copied to `elements` values, the rest filled with `fill`. Null on failure.
template <class T>
T *copy(HbNet *net, const HbStep &s, int which, int64_t expected, int64_t elements, T fill) {
    const HbArray &array = s.arrays[which];
    if (!array.data || array.bytes != expected * static_cast<int64_t>(sizeof(T))) {
        fail("array %d of operation %d has %lld bytes, not %lld", which, s.op, static_cast<long long>(array.bytes),
             static_cast<long long>(expected * static_cast<int64_t>(sizeof(T))));
        return nullptr;
    }
    T *to = static_cast<T *>(allocate(net, elements * static_cast<int64_t>(sizeof(T))));
    if (!to) return nullptr;
    memcpy(to, array.data, static_cast<size_t>(array.bytes));
    for (int64_t i = expected; i < elements; ++i) to[i] = fill;
    return to;
}

float *floats(HbNet *net, int32_t index, int64_t needed) {
    if (index < 0 || index >= net->buffer_count || net->buffers[index].bits || net->buffers[index].floats < needed) {
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

bool within(const HbStep &s) {
    const bool sized = s.side >= 1 && s.side <= MAX_SIDE && s.channels >= 1 && s.channels <= MAX_CHANNELS;
    const bool fed = s.op == HB_STEM || (s.in_channels >= 8 && s.in_channels <= MAX_CHANNELS && s.in_channels % 8 == 0);
    const int multiple = s.op == HB_HEAD ? 1 : s.op == HB_CONV ? 8 : 16;
    const bool kept = s.op == HB_CONV || s.op == HB_STEM || s.in_channels % 16 == 0;
    const bool changes = s.op != HB_SIGN && s.op != HB_POOL && s.op != HB_UP_ADD;
    const bool same = changes || (s.in_channels == s.channels && (s.op != HB_UP_ADD || s.stride == s.channels));
    return (sized && fed && kept && same && s.channels % multiple == 0) || fail("operation %d has an impossible size", s.op);
}

// What lies outside counts as -1 (a zero bit); for zero padding this many differing bits too many are found.
// Classes are masks of top, bottom, left, right.
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

bool prepare_conv_outputs(HbNet *net, const HbStep &s, Conv &c) {
    if (s.target >= 0) {
        const bool placed = s.offset >= 0 && s.offset % 8 == 0 && s.stride >= s.channels && s.stride <= MAX_CHANNELS;
        if (!placed || s.offset > s.stride - s.channels) return fail("a convolution writes outside its target");
        if (!(c.target = floats(net, s.target, area(s.side, s.stride)))) return false;
        c.target += s.offset;
        if (s.other >= 0) {
            const float *other = floats(net, s.other, area(s.side, s.stride));
            if (!other) return false;
            c.other = other + s.offset;
        }
    }
    if (s.bits >= 0) {
        if (s.bits == s.source) return fail("a convolution cannot write over its source");
        c.bits = bits(net, s.bits, s.side, s.channels);
        const int32_t *threshold = copy<int32_t>(net, s, 2, s.channels, padded(s.channels), -1);
        const uint8_t *flip = copy<uint8_t>(net, s, 3, s.channels, s.channels, 0);
        uint8_t *packed = static_cast<uint8_t *>(allocate(net, padded(s.channels) / 8));
        if (!c.bits || !threshold || !flip || !packed) return false;
        for (int i = 0; i < s.channels; ++i) packed[i / 8] |= static_cast<uint8_t>((flip[i] & 1) << i % 8);
        c.threshold = threshold;
        c.flip = packed;
    }
    return c.target || c.bits || fail("a convolution writes nothing");
}

bool prepare_conv(HbNet *net, const HbStep &s, Conv &c) {
    if (s.kernel != 1 && s.kernel != 3) return fail("a kernel of %d", s.kernel);
    if (s.pad != -1 && s.pad != 0) return fail("a padding of %d", s.pad);
    c.shape = {s.kernel, s.in_channels, s.channels};
    c.side = s.side;
    c.stride = s.stride;
    c.relu = s.relu != 0;
    c.source = bits(net, s.source, s.side, s.in_channels);
    const int64_t bytes = static_cast<int64_t>(s.channels) * s.kernel * s.kernel * s.in_channels / 8;
    const uint8_t *weight = copy<uint8_t>(net, s, 0, bytes, bytes, 0);
    void *packed = allocate(net, net->kernels->conv_bytes(c.shape));
    c.alpha = copy<float>(net, s, 1, s.channels, padded(s.channels), 0.0f);
    if (!c.source || !weight || !packed || !c.alpha) return false;
    net->kernels->conv_pack(c.shape, weight, packed);
    c.weight = packed;
    if (s.pad == 0 && s.kernel == 3 && !(c.correction = corrections(net, c.shape, weight))) return false;
    return prepare_conv_outputs(net, s, c);
}

bool prepare_stem(HbNet *net, const HbStep &s, Stem &stem) {
    if (2 * s.side != net->image_side) return fail("the stem does not fit the image");
    const int64_t count = static_cast<int64_t>(s.channels) * STEM_KERNEL * STEM_KERNEL * 3;
    const int16_t *weight = copy<int16_t>(net, s, 0, count, count, 0);
    void *packed = allocate(net, net->kernels->stem_bytes(s.channels));
    if (!weight || !packed) return false;
    net->kernels->stem_pack(s.channels, weight, packed);
    const float *vectors[4];
    for (int i = 0; i < 4; ++i)
        if (!(vectors[i] = copy<float>(net, s, i + 1, s.channels, s.channels, 0.0f))) return false;
    float *target = floats(net, s.target, area(s.side, s.channels));
    stem = {s.side, s.channels, net->image, packed, vectors[0], vectors[1], vectors[2], vectors[3], target};
    return target != nullptr;
}

bool prepare_sign(HbNet *net, const HbStep &s, Sign &sign) {
    const float *source = floats(net, s.source, area(s.side, s.channels));
    const float *scale = copy<float>(net, s, 1, s.channels, s.channels, 0.0f);
    const float *shift = copy<float>(net, s, 2, s.channels, s.channels, 0.0f);
    uint32_t *to = bits(net, s.bits, s.side, s.channels);
    sign = {s.side, s.channels, source, scale, shift, to};
    return source && scale && shift && to;
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

bool prepare_head(HbNet *net, const HbStep &s, Head &head) {
    if (net->logits) return fail("a net has one head");
    if (s.side % 4) return fail("the head's side must be a multiple of 4");
    const int64_t count = static_cast<int64_t>(s.in_channels) * s.channels;
    const float *source = floats(net, s.source, area(s.side, s.in_channels));
    const float *weight = copy<float>(net, s, 0, count, count, 0.0f);
    const float *bias = copy<float>(net, s, 1, s.channels, padded(s.channels), 0.0f);
    const float *scale = copy<float>(net, s, 2, s.in_channels, s.in_channels, 0.0f);
    const float *shift = copy<float>(net, s, 3, s.in_channels, s.in_channels, 0.0f);
    void *packed = allocate(net, net->kernels->head_bytes(s.in_channels, s.channels));
    float *scratch = static_cast<float *>(allocate(net, static_cast<int64_t>(HEAD_SCRATCH) * s.in_channels * 4));
    if (!source || !weight || !bias || !scale || !shift || !packed || !scratch) return false;
    net->kernels->head_pack(s.in_channels, s.channels, weight, packed);
    head = {s.side, s.in_channels, s.channels, source, packed, bias, scale, shift, scratch, nullptr};
    net->logits = area(s.side, s.channels);
    return true;
}

}  // namespace

bool prepare(HbNet *net, const HbStep &s, Step &step) {
    step.op = s.op;
    if (!within(s)) return false;
    switch (s.op) {
        case HB_STEM: return prepare_stem(net, s, step.stem);
        case HB_SIGN: return prepare_sign(net, s, step.sign);
        case HB_CONV: return prepare_conv(net, s, step.conv);
        case HB_POOL: return prepare_pool(net, s, step.pool);
        case HB_UP_ADD: return prepare_up_add(net, s, step.up_add);
        case HB_HEAD: return prepare_head(net, s, step.head);
        default: return fail("unknown operation %d", s.op);
    }
}

}  // namespace hourbit
