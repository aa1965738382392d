// AVX-512 with VPOPCNTDQ and VNNI: exclusive or and population count, 16 output channels in a register.
#include "lanes_avx512.h"
#include "layers.h"
#include "stem.h"
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

void conv(const Conv &c, int first, int last, void *) {
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

const Kernels avx512_kernels = {"avx512", conv_bytes, conv_pack, nullptr, conv, stem_bytes, stem_pack, stem,
                                sign, pool, up_add, head_bytes, head_pack, head, mean, mix, peak};

}  // namespace hourbit
