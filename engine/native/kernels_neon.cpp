// NEON (64-bit ARM): exclusive or, population count of bytes and addition, four output channels in a register.
//
// Bytes hold the counts of 31 words (31 x 8 = 248), then they are widened. Tested under emulation against the
// reference; not timed on hardware.
#include <arm_neon.h>
#include <string.h>

#include "kernels.h"

namespace hourbit {
namespace {

struct Lanes {
    struct F {
        float32x4_t low, high;
    };
    struct I {
        int32x4_t low, high;
    };
    typedef uint8_t Mask;
    static constexpr int N = 8;

    static F load(const float *p) { return {vld1q_f32(p), vld1q_f32(p + 4)}; }
    static I load(const int32_t *p) { return {vld1q_s32(p), vld1q_s32(p + 4)}; }
    static F load_some(const float *p, int) { return load(p); }
    static void store(float *p, F x) {
        vst1q_f32(p, x.low);
        vst1q_f32(p + 4, x.high);
    }
    static void store_some(float *p, F x, int) { store(p, x); }
    static F set(float x) { return {vdupq_n_f32(x), vdupq_n_f32(x)}; }
    static I set(int x) { return {vdupq_n_s32(x), vdupq_n_s32(x)}; }
    static F mul(F a, F b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
    static F add(F a, F b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
    // Not vmaxq: of zeros of both signs the others take the second.
    static float32x4_t larger(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
    static F larger(F a, F b) { return {larger(a.low, b.low), larger(a.high, b.high)}; }
    static Mask mask(uint32x4_t low, uint32x4_t high) {
        static const uint16_t BITS[8] = {1, 2, 4, 8, 16, 32, 64, 128};
        const uint16x8_t all = vcombine_u16(vmovn_u32(low), vmovn_u32(high));
        return static_cast<Mask>(vaddvq_u16(vandq_u16(all, vld1q_u16(BITS))));
    }
    static Mask above(F a, F b) { return mask(vcgtq_f32(a.low, b.low), vcgtq_f32(a.high, b.high)); }
    static I add(I a, I b) { return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)}; }
    static F to_float(I x) { return {vcvtq_f32_s32(x.low), vcvtq_f32_s32(x.high)}; }
    static Mask at_least(I a, I b) { return mask(vcgeq_s32(a.low, b.low), vcgeq_s32(a.high, b.high)); }
    static void transpose(F (&r)[N]) {
        float columns[N][N];
        for (int i = 0; i < N; ++i) store(columns[i], r[i]);
        float row[N];
        for (int i = 0; i < N; ++i) {
            for (int k = 0; k < N; ++k) row[k] = columns[k][i];
            r[i] = load(row);
        }
    }
    static I load_pairs(const int16_t *p) {
        return {vreinterpretq_s32_s16(vld1q_s16(p)), vreinterpretq_s32_s16(vld1q_s16(p + 8))};
    }
    static I set_pair(const int16_t *p) {
        int32_t pair;
        memcpy(&pair, p, 4);
        return set(pair);
    }
    static int32x4_t add_products(int32x4_t sum, int32x4_t a, int32x4_t b) {
        const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
        return vaddq_s32(sum, vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y)));
    }
    static I add_products(I sum, I a, I b) {
        return {add_products(sum.low, a.low, b.low), add_products(sum.high, a.high, b.high)};
    }
};

}  // namespace
}  // namespace hourbit

#include "layers.h"
#include "stem.h"
#include "lanes_more.h"

namespace hourbit {
namespace {

constexpr int WIDTH = 4;     // channels in a register
constexpr int VECTORS = 4;   // registers of a tile: 16 channels
constexpr int FULL = 31;     // words until the bytes must be widened

int vectors(int channels) { return channels >= VECTORS * WIDTH ? VECTORS : 2; }

int64_t conv_bytes(const ConvShape &s) {
    return static_cast<int64_t>(s.channels) * s.kernel * s.kernel * words(s.in_channels) * 4;
}

// bits (channels, ky, kx, in) -> [channels / 16][ky][kx][word][16 or 8]
void conv_pack(const ConvShape &s, const uint8_t *bits, void *packed) {
    uint8_t *to = static_cast<uint8_t *>(packed);
    const int tap_count = s.kernel * s.kernel, tap_bytes = s.in_channels / 8;
    for (int first = 0, lanes; first < s.channels; first += lanes) {
        lanes = vectors(s.channels - first) * WIDTH;
        for (int tap = 0; tap < tap_count; ++tap)
            for (int word = 0; word < words(s.in_channels); ++word)
                for (int lane = first; lane < first + lanes; ++lane)
                    for (int byte = 4 * word; byte < 4 * word + 4; ++byte) {
                        const int64_t at = (static_cast<int64_t>(lane) * tap_count + tap) * tap_bytes + byte;
                        *to++ = byte < tap_bytes ? bits[at] : 0;
                    }
    }
}

template <int P, int V>
inline void widen(uint8x16_t (&bytes)[P][V], uint16x8_t (&wide)[P][V]) {
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) {
            wide[p][v] = vpadalq_u8(wide[p][v], bytes[p][v]);
            bytes[p][v] = vdupq_n_u8(0);
        }
}

// Differing bits of R x W pixels as 16-bit counts, two a channel; `weight` as packed for V registers.
template <int R, int W, int V>
inline void count(const ConvShape &s, int side, const uint32_t *pixels, const uint32_t *weight,
                  uint16x8_t (&wide)[R * W][V]) {
    constexpr int P = R * W;
    const int in_words = words(s.in_channels), row = s.kernel * in_words, pitch = (side + 2) * in_words;
    uint8x16_t bytes[P][V];
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) {
            bytes[p][v] = vdupq_n_u8(0);
            wide[p][v] = vdupq_n_u16(0);
        }
    int room = FULL;
    for (int ky = 0; ky < s.kernel; ++ky, pixels += pitch)
        for (int i = 0; i < row; ++i, weight += V * WIDTH) {
            uint32x4_t w[V];
            for (int v = 0; v < V; ++v) w[v] = vld1q_u32(weight + v * WIDTH);
            for (int p = 0; p < P; ++p) {
                const uint32x4_t a = vdupq_n_u32(pixels[p / W * pitch + p % W * in_words + i]);
                for (int v = 0; v < V; ++v)
                    bytes[p][v] = vaddq_u8(bytes[p][v], vcntq_u8(vreinterpretq_u8_u32(veorq_u32(a, w[v]))));
            }
            if (--room == 0) {
                widen<P, V>(bytes, wide);
                room = FULL;
            }
        }
    widen<P, V>(bytes, wide);
}

// Half sums of P pixels in registers v and v + 1.
template <int P, int V>
inline void halves(const ConvShape &s, const uint16x8_t (&wide)[P][V], int v, Lanes::I (&half)[1][P]) {
    const int32x4_t most = vdupq_n_s32(half_products(s));
    for (int p = 0; p < P; ++p) {
        half[0][p].low = vsubq_s32(most, vreinterpretq_s32_u32(vpaddlq_u16(wide[p][v])));
        half[0][p].high = vsubq_s32(most, vreinterpretq_s32_u32(vpaddlq_u16(wide[p][v + 1])));
    }
}

template <int R, int W, int V>
inline void conv_tile(const Conv &c, const uint32_t *weight, const uint32_t *skip_weight, int y, int x, int channel) {
    uint16x8_t wide[R * W][V];
    Lanes::I half[1][R * W];
    float skip[R * W][V * WIDTH];
    if (c.skip) {
        count<R, W, V>(c.skip_shape, c.side, taps(c.skip, c.skip_shape, c.side, y, x), skip_weight, wide);
        for (int v = 0; v < V; v += 2) {
            halves(c.skip_shape, wide, v, half);
            finish_skip(c, half, channel + v * WIDTH, skip[0] + v * WIDTH, V * WIDTH);
        }
    }
    count<R, W, V>(c.shape, c.side, taps(c.source, c.shape, c.side, y, x), weight, wide);
    for (int v = 0; v < V; v += 2) {
        halves(c.shape, wide, v, half);
        finish<R, W, 1>(c, half, y, x, channel + v * WIDTH, N, c.skip ? skip[0] + v * WIDTH : nullptr, V * WIDTH);
    }
}

template <int V>
void conv_group(const Conv &c, const uint32_t *weight, const uint32_t *skip, int channel, int first, int last) {
    for (int y = first; y < last; y += c.pairs ? 2 : 1) {
        int x = 0;
        if (c.pairs)
            for (; x < c.side; x += 2) conv_tile<2, 2, V>(c, weight, skip, y, x, channel);
        for (; x + 4 <= c.side; x += 4) conv_tile<1, 4, V>(c, weight, skip, y, x, channel);
        for (; x < c.side; ++x) conv_tile<1, 1, V>(c, weight, skip, y, x, channel);
    }
}

void conv(const Conv &c, int first, int last, void *) {
    const uint32_t *weight = static_cast<const uint32_t *>(c.weight);
    const uint32_t *skip = static_cast<const uint32_t *>(c.skip_weight);
    for (int channel = 0, lanes; channel < c.shape.channels; channel += lanes) {
        const int count = vectors(c.shape.channels - channel);
        lanes = count * WIDTH;
        if (count == VECTORS)
            conv_group<VECTORS>(c, weight, skip, channel, first, last);
        else
            conv_group<2>(c, weight, skip, channel, first, last);
        weight += static_cast<int64_t>(c.shape.kernel) * c.shape.kernel * words(c.shape.in_channels) * lanes;
        if (skip) skip += static_cast<int64_t>(words(c.skip_shape.in_channels)) * lanes;
    }
}

int64_t peak(int64_t rounds) {
    uint32x4_t a[8];
    uint8x16_t sum[8];
    for (int i = 0; i < 8; ++i) {
        a[i] = vdupq_n_u32(static_cast<uint32_t>(i));
        sum[i] = vdupq_n_u8(0);
    }
    for (int64_t round = 0; round < rounds; ++round)
        for (int i = 0; i < 8; ++i) {
            a[i] = veorq_u32(a[i], vdupq_n_u32(static_cast<uint32_t>(round)));
            sum[i] = vaddq_u8(sum[i], vcntq_u8(vreinterpretq_u8_u32(a[i])));
        }
    for (int i = 1; i < 8; ++i) sum[0] = vaddq_u8(sum[0], sum[i]);
    return rounds * 8 * 128 + (vaddlvq_u8(sum[0]) == UINT16_MAX);
}

}  // namespace

const Kernels neon_kernels = {"neon", conv_bytes, conv_pack, nullptr, conv, stem_bytes, stem_pack, stem,
                              sign, pool, up_add, head_bytes, head_pack, head, mean, mix, peak};

}  // namespace hourbit
