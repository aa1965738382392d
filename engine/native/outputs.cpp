// Where the values of a convolution go: slices of float maps, and signs after batch-norm.
#include <float.h>
#include <math.h>
#include <string.h>

#include "net.h"

namespace hourbit {
namespace {

// Batch-norm in eval and its sign; flipped where it falls, so that it never turns from true to false as x grows.
bool holds(float x, float scale, float shift) {
    const float scaled = x * scale;
    return (scaled + shift > 0.0f) != (scale < 0.0f);
}

// Floats in the order of their values: the keys of neighbours differ by 1.
float float_of(int32_t key) {
    const int32_t bits = key < 0 ? static_cast<int32_t>(0x80000000u - static_cast<uint32_t>(key)) : key;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// The greatest x at which the sign does not hold yet, found with batch-norm itself, which rounds but never turns back.
float threshold(float scale, float shift) {
    if (holds(-FLT_MAX, scale, shift)) return -INFINITY;
    if (!holds(FLT_MAX, scale, shift)) return INFINITY;
    int64_t low = -0x7F7FFFFF, high = 0x7F7FFFFF;
    while (high - low > 1) {
        const int64_t middle = (low + high) / 2;
        (holds(float_of(static_cast<int32_t>(middle)), scale, shift) ? high : low) = middle;
    }
    return float_of(static_cast<int32_t>(low));
}

// One bit a channel from one byte a channel.
uint8_t *packed_bits(HbNet *net, const uint8_t *from, int channels) {
    uint8_t *to = static_cast<uint8_t *>(allocate(net, padded(channels) / 8));
    for (int i = 0; to && i < channels; ++i) to[i / 8] |= static_cast<uint8_t>((from[i] & 1) << i % 8);
    return to;
}

bool prepare_bits(HbNet *net, const HbStep &s, Conv &c) {
    if (s.bits < 0) return true;
    if (s.bits == s.source || s.bits == s.skip) return fail("a convolution cannot write over its source");
    c.bits = bits(net, s.bits, s.side, s.channels);
    const int32_t *most = static_cast<const int32_t *>(array(s, 2, s.channels, sizeof(int32_t)));
    const uint8_t *flip = static_cast<const uint8_t *>(array(s, 3, s.channels, 1));
    int32_t *least = static_cast<int32_t *>(allocate(net, static_cast<int64_t>(padded(s.channels)) * 4));
    if (!c.bits || !most || !flip || !least || !(c.flip = packed_bits(net, flip, s.channels))) return false;
    const int32_t products = s.kernel * s.kernel * s.in_channels;
    for (int i = 0; i < padded(s.channels); ++i) {
        if (i < s.channels && (most[i] < -1 || most[i] > products)) return fail("an impossible threshold");
        least[i] = i < s.channels ? products / 2 - most[i] : INT32_MAX;
    }
    c.threshold = least;
    return true;
}

}  // namespace

bool prepare_sign(HbNet *net, const Sign &place, const float *scale, const float *shift, int channels, Sign &sign) {
    float *thresholds = static_cast<float *>(allocate(net, static_cast<int64_t>(padded(channels)) * 4));
    uint8_t *flip = static_cast<uint8_t *>(allocate(net, padded(channels) / 8));
    if (!thresholds || !flip) return false;
    for (int i = 0; i < channels; ++i) {
        thresholds[i] = threshold(scale[i], shift[i]);
        flip[i / 8] |= static_cast<uint8_t>((scale[i] < 0.0f) << i % 8);
    }
    sign = place;
    sign.threshold = thresholds;
    sign.flip = flip;
    return true;
}

bool prepare_signs(HbNet *net, const HbStep &s, int stride, Sign (&signs)[SIGNS], int &count) {
    static_assert(SIGNS == HB_SIGNS, "as many as the interface has");
    for (int i = 0; i < SIGNS; ++i) {
        if (s.signs[i] < 0) continue;
        const bool pooled = s.signs_pooled >> i & 1;
        if (s.op == HB_CONV && (s.signs[i] == s.source || s.signs[i] == s.skip))
            return fail("a convolution cannot write over its source");
        uint32_t *to = bits(net, s.signs[i], pooled ? s.side / 2 : s.side, stride);
        const void *scale = array(s, 6 + 2 * i, s.channels, 4), *shift = array(s, 7 + 2 * i, s.channels, 4);
        if (!to || !scale || !shift) return false;
        const int first = s.op == HB_CONV ? s.offset / 8 : 0;
        const Sign place = {reinterpret_cast<uint8_t *>(to) + first, words(stride) * 4, pooled, nullptr, nullptr};
        if (!prepare_sign(net, place, static_cast<const float *>(scale), static_cast<const float *>(shift), s.channels,
                          signs[count++]))
            return false;
    }
    return true;
}

bool prepare_outputs(HbNet *net, const HbStep &s, Conv &c) {
    const bool placed = s.offset >= 0 && s.offset % 8 == 0 && s.stride >= s.channels && s.stride <= MAX_CHANNELS;
    if (!placed || s.offset > s.stride - s.channels) return fail("a convolution writes outside its target");
    if (!prepare_bits(net, s, c) || !prepare_signs(net, s, s.stride, c.signs, c.sign_count)) return false;
    const int64_t whole = area(s.side, s.stride), half = area(s.side / 2, s.stride);
    for (const Sign &sign : c.signs) c.pairs = c.pairs || sign.pooled;
    c.pairs = c.pairs || s.pooled >= 0;
    if ((c.pairs || s.up >= 0) && s.side % 2) return fail("half of a map of %d rows", s.side);
    const bool line = s.target >= 0 && s.target < net->buffer_count && net->buffers[s.target].line;
    if (line) {
        if (net->buffers[s.target].bits || net->buffers[s.target].floats != static_cast<int64_t>(s.side) * s.stride || c.pairs)
            return fail("an impossible line");
        c.target = static_cast<float *>(net->data[s.target]);
    } else if (s.target >= 0 && !(c.target = floats(net, s.target, whole))) {
        return false;
    }
    const float *other = s.other >= 0 ? floats(net, s.other, whole) : nullptr;
    const float *up = s.up >= 0 ? floats(net, s.up, half) : nullptr;
    c.pooled = s.pooled >= 0 ? floats(net, s.pooled, half) : nullptr;
    if ((s.other >= 0 && !other) || (s.up >= 0 && !up) || (s.pooled >= 0 && !c.pooled)) return false;
    if (c.target) c.target += s.offset;
    if (c.pooled) c.pooled += s.offset;
    c.other = other ? other + s.offset : nullptr;
    c.up = up ? up + s.offset : nullptr;
    return c.target || c.pooled || c.bits || c.sign_count || fail("a convolution writes nothing");
}

}  // namespace hourbit
