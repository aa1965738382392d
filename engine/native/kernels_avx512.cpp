// AVX-512 with VPOPCNTDQ and VNNI: exclusive or and population count, 16 output channels in a register.
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

namespace hourbit {
namespace {

struct Lanes {
    typedef __m512 F;
    typedef __m512i I;
    static constexpr int N = 16, HEAD_TILE = 16;

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
    static uint32_t positive(F x) { return _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ); }
    static I sub(I a, I b) { return _mm512_sub_epi32(a, b); }
    static F to_float(I x) { return _mm512_cvtepi32_ps(x); }
    static uint32_t at_most(I a, I b) { return _mm512_cmple_epi32_mask(a, b); }
    static I load_pairs(const int16_t *p) { return _mm512_loadu_si512(p); }
    static I set_pair(const int16_t *p) {
        int32_t pair;
        memcpy(&pair, p, 4);
        return _mm512_set1_epi32(pair);
    }
    static I add_products(I sum, I a, I b) { return _mm512_dpwssd_epi32(sum, a, b); }
};

}  // namespace
}  // namespace hourbit

#include "lanes.h"

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

template <int P, int V>
inline void conv_tile(const Conv &c, const uint32_t *weight, int y, int x, int channel) {
    const int in_words = words(c.shape.in_channels), row = c.shape.kernel * in_words;
    const uint32_t *pixels = taps(c, y, x);
    __m512i count[P][V];
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) count[p][v] = _mm512_setzero_si512();
    for (int ky = 0; ky < c.shape.kernel; ++ky, pixels += (c.side + 2) * in_words)
        for (int i = 0; i < row; ++i, weight += V * N) {
            __m512i w[V];
            for (int v = 0; v < V; ++v) w[v] = _mm512_load_si512(weight + v * N);
            for (int p = 0; p < P; ++p) {
                const __m512i a = _mm512_set1_epi32(static_cast<int>(pixels[p * in_words + i]));
                for (int v = 0; v < V; ++v)
                    count[p][v] = _mm512_add_epi32(count[p][v], _mm512_popcnt_epi32(_mm512_xor_si512(a, w[v])));
            }
        }
    for (int p = 0; p < P; ++p) {
        const int32_t *corrected = correction(c, y, x + p);
        for (int v = 0; v < V; ++v) finish(c, count[p][v], y, x + p, channel + v * N, corrected);
    }
}

template <int V>
void conv_group(const Conv &c, const uint32_t *weight, int channel, int first, int last) {
    constexpr int WIDE = V <= 2 ? 8 : 4;
    for (int y = first; y < last; ++y) {
        int x = 0;
        for (; x + WIDE <= c.side; x += WIDE) conv_tile<WIDE, V>(c, weight, y, x, channel);
        for (; x + 4 <= c.side; x += 4) conv_tile<4, V>(c, weight, y, x, channel);
        for (; x + 2 <= c.side; x += 2) conv_tile<2, V>(c, weight, y, x, channel);
        for (; x < c.side; ++x) conv_tile<1, V>(c, weight, y, x, channel);
    }
}

void conv(const Conv &c, int first, int last) {
    const int64_t vector = static_cast<int64_t>(c.shape.kernel) * c.shape.kernel * words(c.shape.in_channels) * N;
    const uint32_t *weight = static_cast<const uint32_t *>(c.weight);
    for (int channel = 0; channel < c.shape.channels; channel += GROUP, weight += vector * VECTORS) {
        switch (vectors(c.shape.channels - channel)) {
            case 1: conv_group<1>(c, weight, channel, first, last); break;
            case 2: conv_group<2>(c, weight, channel, first, last); break;
            case 3: conv_group<3>(c, weight, channel, first, last); break;
            default: conv_group<4>(c, weight, channel, first, last);
        }
    }
}

}  // namespace

const Kernels avx512_kernels = {"avx512", conv_bytes, conv_pack, conv, stem_bytes, stem_pack, stem,
                                sign, pool, up_add, head_bytes, head_pack, head};

}  // namespace hourbit
