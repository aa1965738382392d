// AVX2: table look-up instead of population count (there is none for vectors).
//
// The table of an activation nibble holds popcount(i ^ nibble) for i = 0 to 15; a shuffle looks up the weight
// nibbles of 32 output channels at once. Bytes hold 63 such counts of at most 4, then they are widened.
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

namespace hourbit {
namespace {

struct Lanes {
    typedef __m256 F;
    typedef __m256i I;
    typedef uint8_t Mask;
    static constexpr int N = 8;

    static F load(const float *p) { return _mm256_loadu_ps(p); }
    static I load(const int32_t *p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)); }
    static F load_some(const float *p, int) { return load(p); }
    static void store(float *p, F x) { _mm256_storeu_ps(p, x); }
    static void store_some(float *p, F x, int) { store(p, x); }
    static F set(float x) { return _mm256_set1_ps(x); }
    static I set(int x) { return _mm256_set1_epi32(x); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F larger(F a, F b) { return _mm256_max_ps(a, b); }
    static Mask above(F a, F b) {
        return static_cast<Mask>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
    }
    static I add(I a, I b) { return _mm256_add_epi32(a, b); }
    static F to_float(I x) { return _mm256_cvtepi32_ps(x); }
    static Mask at_least(I a, I b) {
        return static_cast<Mask>(~_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a))));
    }
    static I load_pairs(const int16_t *p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)); }
    static I set_pair(const int16_t *p) {
        int32_t pair;
        memcpy(&pair, p, 4);
        return _mm256_set1_epi32(pair);
    }
    static I add_products(I sum, I a, I b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
    static void transpose(F (&r)[N]) {
        F t[N];
        for (int i = 0; i < N; i += 2) {
            t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
            t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
        }
        for (int i = 0; i < N; i += 4)
            for (int k = 0; k < 2; ++k) {
                r[i + 2 * k] = _mm256_shuffle_ps(t[i + k], t[i + 2 + k], 0x44);
                r[i + 2 * k + 1] = _mm256_shuffle_ps(t[i + k], t[i + 2 + k], 0xEE);
            }
        for (int i = 0; i < 4; ++i) {
            t[i] = _mm256_permute2f128_ps(r[i], r[4 + i], 0x20);
            t[4 + i] = _mm256_permute2f128_ps(r[i], r[4 + i], 0x31);
        }
        for (int i = 0; i < N; ++i) r[i] = t[i];
    }
};

}  // namespace
}  // namespace hourbit

#include "layers.h"
#include "lanes_more.h"

namespace hourbit {
namespace {

constexpr int WIDTH = 32;      // channels in a register of bytes
constexpr int NIBBLES = 8;     // in a word
constexpr int FULL = 7;        // words until the bytes must be widened: 7 * 8 * 4 = 224

alignas(64) const uint8_t TABLE[16][16] = {
    {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4}, {1, 0, 2, 1, 2, 1, 3, 2, 2, 1, 3, 2, 3, 2, 4, 3},
    {1, 2, 0, 1, 2, 3, 1, 2, 2, 3, 1, 2, 3, 4, 2, 3}, {2, 1, 1, 0, 3, 2, 2, 1, 3, 2, 2, 1, 4, 3, 3, 2},
    {1, 2, 2, 3, 0, 1, 1, 2, 2, 3, 3, 4, 1, 2, 2, 3}, {2, 1, 3, 2, 1, 0, 2, 1, 3, 2, 4, 3, 2, 1, 3, 2},
    {2, 3, 1, 2, 1, 2, 0, 1, 3, 4, 2, 3, 2, 3, 1, 2}, {3, 2, 2, 1, 2, 1, 1, 0, 4, 3, 3, 2, 3, 2, 2, 1},
    {1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3}, {2, 1, 3, 2, 3, 2, 4, 3, 1, 0, 2, 1, 2, 1, 3, 2},
    {2, 3, 1, 2, 3, 4, 2, 3, 1, 2, 0, 1, 2, 3, 1, 2}, {3, 2, 2, 1, 4, 3, 3, 2, 2, 1, 1, 0, 3, 2, 2, 1},
    {2, 3, 3, 4, 1, 2, 2, 3, 1, 2, 2, 3, 0, 1, 1, 2}, {3, 2, 4, 3, 2, 1, 3, 2, 2, 1, 3, 2, 1, 0, 2, 1},
    {3, 4, 2, 3, 2, 3, 1, 2, 2, 3, 1, 2, 1, 2, 0, 1}, {4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0}};

int vectors(int channels) { return channels > WIDTH ? 2 : 1; }

int64_t conv_bytes(const ConvShape &s) {
    return static_cast<int64_t>(padded(s.channels)) * s.kernel * s.kernel * words(s.in_channels) * NIBBLES;
}

// Byte b of 32: even bytes hold the first 16 channels and odd ones the last, the order that widening leaves.
int lane_channel(int byte) { return byte / 2 + (byte & 1) * 16; }

// bits (channels, ky, kx, in) -> [channels / 64][ky][kx][word][8 nibbles][up to 64], a nibble in a byte
void conv_pack(const ConvShape &s, const uint8_t *bits, void *packed) {
    uint8_t *to = static_cast<uint8_t *>(packed);
    const int tap_count = s.kernel * s.kernel, tap_bytes = s.in_channels / 8;
    for (int first = 0; first < s.channels; first += GROUP)
        for (int tap = 0; tap < tap_count; ++tap)
            for (int nibble = 0; nibble < words(s.in_channels) * NIBBLES; ++nibble)
                for (int b = 0; b < vectors(s.channels - first) * WIDTH; ++b) {
                    const int channel = first + b / WIDTH * WIDTH + lane_channel(b % WIDTH);
                    const bool held = channel < s.channels && nibble / 2 < tap_bytes;
                    const int64_t at = (static_cast<int64_t>(channel) * tap_count + tap) * tap_bytes + nibble / 2;
                    *to++ = held ? (bits[at] >> (nibble % 2 * 4)) & 15 : 0;
                }
}

template <int P, int V>
inline void widen(__m256i (&bytes)[P][V], __m256i (&wide)[P][V][2]) {
    const __m256i low = _mm256_set1_epi16(0xFF);
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) {
            wide[p][v][0] = _mm256_add_epi16(wide[p][v][0], _mm256_and_si256(bytes[p][v], low));
            wide[p][v][1] = _mm256_add_epi16(wide[p][v][1], _mm256_srli_epi16(bytes[p][v], 8));
            bytes[p][v] = _mm256_setzero_si256();
        }
}

// Differing bits of R x W pixels as 16-bit counts; `weight` as packed for V registers.
template <int R, int W, int V>
inline void count(const ConvShape &s, int side, const uint32_t *pixels, const uint8_t *weight,
                  __m256i (&wide)[R * W][V][2]) {
    constexpr int P = R * W;
    const int in_words = words(s.in_channels), row = s.kernel * in_words, pitch = (side + 2) * in_words;
    __m256i bytes[P][V];
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) bytes[p][v] = wide[p][v][0] = wide[p][v][1] = _mm256_setzero_si256();
    int room = FULL;
    for (int ky = 0; ky < s.kernel; ++ky, pixels += pitch)
        for (int i = 0; i < row; ++i) {
            uint64_t a[P];  // each nibble times 16 in a byte, the offset of its table
            for (int p = 0; p < P; ++p)
                a[p] = _pdep_u64(pixels[p / W * pitch + p % W * in_words + i], 0xF0F0F0F0F0F0F0F0);
            for (int nibble = 0; nibble < NIBBLES; ++nibble, weight += V * WIDTH) {
                __m256i w[V];
                for (int v = 0; v < V; ++v)
                    w[v] = _mm256_load_si256(reinterpret_cast<const __m256i *>(weight + v * WIDTH));
                for (int p = 0; p < P; ++p) {
                    const uint8_t *entry = TABLE[0] + static_cast<uint8_t>(a[p]);
                    a[p] >>= 8;
                    const __m256i table =
                        _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i *>(entry)));
                    for (int v = 0; v < V; ++v)
                        bytes[p][v] = _mm256_add_epi8(bytes[p][v], _mm256_shuffle_epi8(table, w[v]));
                }
            }
            if (--room == 0) {
                widen<P, V>(bytes, wide);
                room = FULL;
            }
        }
    widen<P, V>(bytes, wide);
}

// Half sums of P pixels in one of the four eights of a register.
template <int P, int V>
inline void halves(const ConvShape &s, const __m256i (&wide)[P][V][2], int v, int quarter, __m256i (&half)[1][P]) {
    const __m256i most = _mm256_set1_epi32(half_products(s));
    for (int p = 0; p < P; ++p) {
        const __m256i pair = wide[p][v][quarter / 2];
        const __m128i eight = quarter % 2 ? _mm256_extracti128_si256(pair, 1) : _mm256_castsi256_si128(pair);
        half[0][p] = _mm256_sub_epi32(most, _mm256_cvtepu16_epi32(eight));
    }
}

template <int R, int W, int V>
inline void conv_tile(const Conv &c, const uint8_t *weight, const uint8_t *skip_weight, int y, int x, int channel) {
    constexpr int P = R * W;
    __m256i wide[P][V][2], half[1][P];
    alignas(32) float skip[P][V * WIDTH];
    if (c.skip) {
        count<R, W, V>(c.skip_shape, c.side, taps(c.skip, c.skip_shape, c.side, y, x), skip_weight, wide);
        for (int v = 0; v < V; ++v)
            for (int quarter = 0; quarter < 4; ++quarter) {
                const int at = v * WIDTH + quarter * N;
                halves(c.skip_shape, wide, v, quarter, half);
                finish_skip(c, half, channel + at, skip[0] + at, V * WIDTH);
            }
    }
    count<R, W, V>(c.shape, c.side, taps(c.source, c.shape, c.side, y, x), weight, wide);
    for (int v = 0; v < V; ++v)
        for (int quarter = 0; quarter < 4 && channel + v * WIDTH + quarter * N < c.shape.channels; ++quarter) {
            const int at = v * WIDTH + quarter * N;
            halves(c.shape, wide, v, quarter, half);
            finish<R, W, 1>(c, half, y, x, channel + at, N, c.skip ? skip[0] + at : nullptr, V * WIDTH);
        }
}

template <int V>
void conv_group(const Conv &c, const uint8_t *weight, const uint8_t *skip, int channel, int first, int last) {
    constexpr int WIDE = V == 1 ? 8 : 4;
    if (c.pairs) {
        for (int y = first; y < last; y += 2) {
            int x = 0;
            for (; x + WIDE / 2 <= c.side; x += WIDE / 2) conv_tile<2, WIDE / 2, V>(c, weight, skip, y, x, channel);
            for (; x < c.side; x += 2) conv_tile<2, 2, V>(c, weight, skip, y, x, channel);
        }
        return;
    }
    for (int y = first; y < last; ++y) {
        int x = 0;
        for (; x + WIDE <= c.side; x += WIDE) conv_tile<1, WIDE, V>(c, weight, skip, y, x, channel);
        for (; x + 2 <= c.side; x += 2) conv_tile<1, 2, V>(c, weight, skip, y, x, channel);
        for (; x < c.side; ++x) conv_tile<1, 1, V>(c, weight, skip, y, x, channel);
    }
}

void conv(const Conv &c, int first, int last) {
    const uint8_t *weight = static_cast<const uint8_t *>(c.weight);
    const uint8_t *skip = static_cast<const uint8_t *>(c.skip_weight);
    for (int channel = 0; channel < c.shape.channels; channel += GROUP) {
        if (vectors(c.shape.channels - channel) == 1)
            conv_group<1>(c, weight, skip, channel, first, last);
        else
            conv_group<2>(c, weight, skip, channel, first, last);
        const int64_t nibbles = static_cast<int64_t>(words(c.shape.in_channels)) * NIBBLES;
        weight += c.shape.kernel * c.shape.kernel * nibbles * GROUP;
        if (skip) skip += static_cast<int64_t>(words(c.skip_shape.in_channels)) * NIBBLES * GROUP;
    }
}

}  // namespace

const Kernels avx2_kernels = {"avx2", conv_bytes, conv_pack, conv, stem_bytes, stem_pack, stem,
                              sign, pool, up_add, head_bytes, head_pack, head, mean, around, mix};

}  // namespace hourbit
