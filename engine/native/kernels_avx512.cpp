// AVX-512 with VPOPCNTDQ and VNNI: exclusive or and population count, 16 output channels in a register.
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

namespace hourbit {
namespace {

struct Lanes {
    typedef __m512 F;
    typedef __m512i I;
    typedef __mmask16 Mask;
    static constexpr int N = 16;

    static F load(const float *p) { return _mm512_loadu_ps(p); }
    static I load(const int32_t *p) { return _mm512_loadu_si512(p); }
    static __mmask16 first(int n) { return static_cast<__mmask16>(n >= N ? 0xFFFF : (1 << n) - 1); }
    static F load_some(const float *p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
    static void store(float *p, F x) { _mm512_storeu_ps(p, x); }
    static void store_some(float *p, F x, int n) { _mm512_mask_storeu_ps(p, first(n), x); }
    static F set(float x) { return _mm512_set1_ps(x); }
    static I set(int x) { return _mm512_set1_epi32(x); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F larger(F a, F b) { return _mm512_max_ps(a, b); }
    static Mask above(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
    static I add(I a, I b) { return _mm512_add_epi32(a, b); }
    static F to_float(I x) { return _mm512_cvtepi32_ps(x); }
    static Mask at_least(I a, I b) { return _mm512_cmpge_epi32_mask(a, b); }
    static I load_pairs(const int16_t *p) { return _mm512_loadu_si512(p); }
    static I set_pair(const int16_t *p) {
        int32_t pair;
        memcpy(&pair, p, 4);
        return _mm512_set1_epi32(pair);
    }
    static I add_products(I sum, I a, I b) { return _mm512_dpwssd_epi32(sum, a, b); }
    static void transpose(F (&r)[N]) {
        F t[N];
        for (int i = 0; i < N; i += 2) {
            t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
            t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
        }
        for (int i = 0; i < N; i += 4)
            for (int k = 0; k < 2; ++k) {
                r[i + 2 * k] = _mm512_shuffle_ps(t[i + k], t[i + 2 + k], 0x44);
                r[i + 2 * k + 1] = _mm512_shuffle_ps(t[i + k], t[i + 2 + k], 0xEE);
            }
        for (int i = 0; i < 4; ++i) {  // r[4 j + i] holds column i of every quarter, of the rows from 4 j on
            t[i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0x88);
            t[4 + i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0xDD);
            t[8 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0x88);
            t[12 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0xDD);
        }
        for (int i = 0; i < 4; ++i) {
            r[i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0x88);
            r[8 + i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0xDD);
            r[4 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0x88);
            r[12 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0xDD);
        }
    }
};

}  // namespace
}  // namespace hourbit

#include "layers.h"
#include "lanes_more.h"

namespace hourbit {
namespace {

constexpr int VECTORS = GROUP / N;

int vectors(int channels) { return (channels + N - 1) / N; }

int64_t conv_bytes(const ConvShape &s) {
    return static_cast<int64_t>(vectors(s.channels)) * s.kernel * s.kernel * words(s.in_channels) * N * 4;
}

// bits (channels, ky, kx, in) -> [channels / 64][ky][kx][word][up to 4 vectors][16]
void conv_pack(const ConvShape &s, const uint8_t *bits, void *packed) {
    uint8_t *to = static_cast<uint8_t *>(packed);
    const int taps = s.kernel * s.kernel, tap_bytes = s.in_channels / 8;
    for (int first = 0; first < s.channels; first += GROUP) {
        const int lanes = vectors(s.channels - first) < VECTORS ? vectors(s.channels - first) * N : GROUP;
        for (int tap = 0; tap < taps; ++tap)
            for (int word = 0; word < words(s.in_channels); ++word)
                for (int lane = first; lane < first + lanes; ++lane)
                    for (int byte = 4 * word; byte < 4 * word + 4; ++byte) {
                        const bool held = lane < s.channels && byte < tap_bytes;
                        *to++ = held ? bits[(static_cast<int64_t>(lane) * taps + tap) * tap_bytes + byte] : 0;
                    }
    }
}

// Half sums of R x W pixels; `weight` as packed for V vectors.
template <int R, int W, int V>
HOURBIT_INLINE void count(const ConvShape &s, int side, const uint32_t *pixels, const uint32_t *weight,
                  __m512i (&half)[V][R * W]) {
    const int in_words = words(s.in_channels), row = s.kernel * in_words, pitch = (side + 2) * in_words;
    for (int v = 0; v < V; ++v)
        for (int p = 0; p < R * W; ++p) half[v][p] = _mm512_set1_epi32(half_products(s));
    for (int ky = 0; ky < s.kernel; ++ky, pixels += pitch)
        for (int i = 0; i < row; ++i, weight += V * N) {
            __m512i w[V];
            for (int v = 0; v < V; ++v) w[v] = _mm512_load_si512(weight + v * N);
            for (int p = 0; p < R * W; ++p) {
                const __m512i a = _mm512_set1_epi32(static_cast<int>(pixels[p / W * pitch + p % W * in_words + i]));
                for (int v = 0; v < V; ++v)
                    half[v][p] = _mm512_sub_epi32(half[v][p], _mm512_popcnt_epi32(_mm512_xor_si512(a, w[v])));
            }
        }
}

template <int R, int W, int V, bool WHOLE>
inline void conv_tile(const Conv &c, const uint32_t *weight, const uint32_t *skip_weight, int y, int x, int channel) {
    __m512i half[V][R * W];
    alignas(64) float skip[R * W][V * N];
    fetch<R, W, V>(c, y, x, channel);
    if (c.skip) {
        count<R, W, V>(c.skip_shape, c.side, taps(c.skip, c.skip_shape, c.side, y, x), skip_weight, half);
        finish_skip(c, half, channel, skip[0], V * N);
    }
    count<R, W, V>(c.shape, c.side, taps(c.source, c.shape, c.side, y, x), weight, half);
    const int left = WHOLE ? V * N : c.shape.channels - channel;
    finish<R, W, V>(c, half, y, x, channel, left, c.skip ? skip[0] : nullptr, V * N);
}

template <int V, bool WHOLE>
void conv_group(const Conv &c, const uint32_t *weight, const uint32_t *skip, int channel, int first, int last) {
    constexpr int WIDE = V <= 2 && WHOLE ? 8 : 4;
    if (c.pairs) {
        for (int y = first; y < last; y += 2) {
            int x = 0;
            for (; x + WIDE / 2 <= c.side; x += WIDE / 2)
                conv_tile<2, WIDE / 2, V, WHOLE>(c, weight, skip, y, x, channel);
            for (; x < c.side; x += 2) conv_tile<2, 2, V, WHOLE>(c, weight, skip, y, x, channel);
        }
        return;
    }
    for (int y = first; y < last; ++y) {
        int x = 0;
        for (; x + WIDE <= c.side; x += WIDE) conv_tile<1, WIDE, V, WHOLE>(c, weight, skip, y, x, channel);
        for (; x + 4 <= c.side; x += 4) conv_tile<1, 4, V, WHOLE>(c, weight, skip, y, x, channel);
        for (; x < c.side; ++x) conv_tile<1, 1, V, WHOLE>(c, weight, skip, y, x, channel);
    }
}

template <int V>
void conv_vectors(const Conv &c, const uint32_t *weight, const uint32_t *skip, int channel, int first, int last) {
    if (c.shape.channels - channel >= V * N)
        conv_group<V, true>(c, weight, skip, channel, first, last);
    else
        conv_group<V, false>(c, weight, skip, channel, first, last);
}

void conv(const Conv &c, int first, int last) {
    const uint32_t *weight = static_cast<const uint32_t *>(c.weight);
    const uint32_t *skip = static_cast<const uint32_t *>(c.skip_weight);
    for (int channel = 0; channel < c.shape.channels; channel += GROUP) {
        switch (vectors(c.shape.channels - channel)) {
            case 1: conv_vectors<1>(c, weight, skip, channel, first, last); break;
            case 2: conv_vectors<2>(c, weight, skip, channel, first, last); break;
            case 3: conv_vectors<3>(c, weight, skip, channel, first, last); break;
            default: conv_vectors<4>(c, weight, skip, channel, first, last);
        }
        weight += static_cast<int64_t>(c.shape.kernel) * c.shape.kernel * words(c.shape.in_channels) * GROUP;
        if (skip) skip += static_cast<int64_t>(words(c.skip_shape.in_channels)) * GROUP;
    }
}

int64_t peak(int64_t rounds) {
    __m512i a[8], sum[8];
    for (int i = 0; i < 8; ++i) {
        a[i] = _mm512_set1_epi32(i);
        sum[i] = _mm512_setzero_si512();
    }
    const __m512i w = _mm512_set1_epi32(static_cast<int>(rounds));
    for (int64_t round = 0; round < rounds; ++round)
        for (int i = 0; i < 8; ++i) {
            a[i] = _mm512_xor_si512(a[i], w);
            sum[i] = _mm512_sub_epi32(sum[i], _mm512_popcnt_epi32(a[i]));
        }
    for (int i = 1; i < 8; ++i) sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    return rounds * 8 * 512 + (_mm512_reduce_add_epi32(sum[0]) == 1);  // the sum is even, and must be made
}

}  // namespace

const Kernels avx512_kernels = {"avx512", conv_bytes, conv_pack, conv, stem_bytes, stem_pack, stem,
                                sign, pool, up_add, head_bytes, head_pack, head, mean, mix, peak};

}  // namespace hourbit
