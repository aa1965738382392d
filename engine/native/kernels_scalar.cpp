// Portable C++: 64-bit population count; the only kernel file on processors other than x86.
#include <string.h>

#include "kernels.h"

#if defined(_MSC_VER)
#include <intrin.h>
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#endif

namespace hourbit {
namespace {

// Eight lanes as plain loops, which compilers turn into whatever the baseline offers.
struct Lanes {
    struct F {
        float at[8];
    };
    struct I {
        int32_t at[8];
    };
    typedef uint8_t Mask;
    static constexpr int N = 8;

    template <class T, class Each>
    static T each(Each each) {
        T out;
        for (int i = 0; i < N; ++i) out.at[i] = each(i);
        return out;
    }
    static F load(const float *p) { return each<F>([=](int i) { return p[i]; }); }
    static I load(const int32_t *p) { return each<I>([=](int i) { return p[i]; }); }
    static F load_some(const float *p, int) { return load(p); }
    static void store(float *p, F x) { memcpy(p, x.at, sizeof x.at); }
    static void store_some(float *p, F x, int) { store(p, x); }
    static F set(float x) { return each<F>([=](int) { return x; }); }
    static I set(int x) { return each<I>([=](int) { return x; }); }
    static F mul(const F &a, const F &b) { return each<F>([&](int i) { return a.at[i] * b.at[i]; }); }
    static F add(const F &a, const F &b) { return each<F>([&](int i) { return a.at[i] + b.at[i]; }); }
    static F larger(const F &a, const F &b) {
        return each<F>([&](int i) { return a.at[i] > b.at[i] ? a.at[i] : b.at[i]; });
    }
    static I add(const I &a, const I &b) { return each<I>([&](int i) { return a.at[i] + b.at[i]; }); }
    static F to_float(const I &x) { return each<F>([&](int i) { return static_cast<float>(x.at[i]); }); }
    static Mask above(const F &a, const F &b) {
        unsigned mask = 0;
        for (int i = 0; i < N; ++i) mask |= static_cast<unsigned>(a.at[i] > b.at[i]) << i;
        return static_cast<Mask>(mask);
    }
    static Mask at_least(const I &a, const I &b) {
        unsigned mask = 0;
        for (int i = 0; i < N; ++i) mask |= static_cast<unsigned>(a.at[i] >= b.at[i]) << i;
        return static_cast<Mask>(mask);
    }
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
        I out;
        memcpy(out.at, p, sizeof out.at);
        return out;
    }
    static I set_pair(const int16_t *p) {
        int32_t pair;
        memcpy(&pair, p, 4);
        return set(pair);
    }
    static I add_products(const I &sum, const I &a, const I &b) {
#if defined(__SSE2__) || defined(_M_X64)  // part of every x86-64
        I out;
        for (int i = 0; i < N; i += 4) {
            const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i *>(a.at + i));
            const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i *>(b.at + i));
            const __m128i z = _mm_loadu_si128(reinterpret_cast<const __m128i *>(sum.at + i));
            _mm_storeu_si128(reinterpret_cast<__m128i *>(out.at + i), _mm_add_epi32(z, _mm_madd_epi16(x, y)));
        }
        return out;
#else
        int16_t x[2 * N], y[2 * N];
        memcpy(x, a.at, sizeof x);
        memcpy(y, b.at, sizeof y);
        return each<I>([&](int i) { return sum.at[i] + (x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1]); });
#endif
    }
};

}  // namespace
}  // namespace hourbit

#include "layers.h"
#include "stem.h"
#include "lanes_more.h"

namespace hourbit {
namespace {

inline int popcount(uint64_t x) {
#if defined(_MSC_VER) && defined(_M_X64)
    return static_cast<int>(__popcnt64(x));
#elif defined(_MSC_VER)
    int count = 0;
    for (; x; x &= x - 1) ++count;
    return count;
#else
    return __builtin_popcountll(x);
#endif
}

int64_t conv_bytes(const ConvShape &s) {
    return static_cast<int64_t>(s.channels) * s.kernel * s.kernel * words(s.in_channels) * 4;
}

// bits (channels, ky, kx, in) -> [channels][ky][kx][word]
void conv_pack(const ConvShape &s, const uint8_t *bits, void *packed) {
    const int64_t rows = static_cast<int64_t>(s.channels) * s.kernel * s.kernel;
    const int from = s.in_channels / 8, to = words(s.in_channels) * 4;
    memset(packed, 0, static_cast<size_t>(rows) * to);
    for (int64_t row = 0; row < rows; ++row) memcpy(static_cast<uint8_t *>(packed) + row * to, bits + row * from, from);
}

template <class T>
inline T load_as(const uint32_t *p) {
    T value;
    memcpy(&value, p, sizeof value);
    return value;
}

// Half sums of R x W pixels and two output channels, whose weights lie `filter` words apart.
template <int R, int W>
inline void count_pair(const ConvShape &s, int side, const uint32_t *pixels, const uint32_t *weight,
                       Lanes::I (&half)[1][R * W], int lane) {
    constexpr int P = R * W;
    const int in_words = words(s.in_channels), row = s.kernel * in_words, pitch = (side + 2) * in_words;
    const int filter = s.kernel * row;
    int64_t sum[P][2] = {};
    const uint32_t *at[P];
    for (int p = 0; p < P; ++p) at[p] = pixels + p / W * pitch + p % W * in_words;
    for (int ky = 0; ky < s.kernel; ++ky, weight += row) {
        int i = 0;
        for (; i + 2 <= row; i += 2) {
            const uint64_t w0 = load_as<uint64_t>(weight + i), w1 = load_as<uint64_t>(weight + filter + i);
            for (int p = 0; p < P; ++p) {
                const uint64_t a = load_as<uint64_t>(at[p] + i);
                sum[p][0] += popcount(a ^ w0);
                sum[p][1] += popcount(a ^ w1);
            }
        }
        if (i < row)
            for (int p = 0; p < P; ++p) {
                sum[p][0] += popcount(at[p][i] ^ weight[i]);
                sum[p][1] += popcount(at[p][i] ^ weight[filter + i]);
            }
        for (int p = 0; p < P; ++p) at[p] += pitch;
    }
    for (int p = 0; p < P; ++p)
        for (int k = 0; k < 2; ++k) half[0][p].at[lane + k] = half_products(s) - static_cast<int32_t>(sum[p][k]);
}

template <int R, int W>
inline void count(const ConvShape &s, int side, const uint32_t *pixels, const void *weight, int channel,
                  Lanes::I (&half)[1][R * W]) {
    const int filter = s.kernel * s.kernel * words(s.in_channels);
    const uint32_t *first = static_cast<const uint32_t *>(weight) + static_cast<int64_t>(channel) * filter;
    for (int k = 0; k < N; k += 2) count_pair<R, W>(s, side, pixels, first + k * filter, half, k);
}

template <int R, int W>
inline void conv_tile(const Conv &c, int y, int x, int channel) {
    Lanes::I half[1][R * W];
    float skip[R * W][N];
    if (c.skip) {
        count<R, W>(c.skip_shape, c.side, taps(c.skip, c.skip_shape, c.side, y, x), c.skip_weight, channel, half);
        finish_skip(c, half, channel, skip[0], N);
    }
    count<R, W>(c.shape, c.side, taps(c.source, c.shape, c.side, y, x), c.weight, channel, half);
    finish<R, W, 1>(c, half, y, x, channel, N, c.skip ? skip[0] : nullptr, N);
}

void conv(const Conv &c, int first, int last, void *) {
    for (int channel = 0; channel < c.shape.channels; channel += N)
        for (int y = first; y < last; y += c.pairs ? 2 : 1) {
            int x = 0;
            if (c.pairs)
                for (; x < c.side; x += 2) conv_tile<2, 2>(c, y, x, channel);
            for (; x + 2 <= c.side; x += 2) conv_tile<1, 2>(c, y, x, channel);
            for (; x < c.side; ++x) conv_tile<1, 1>(c, y, x, channel);
        }
}

int64_t peak(int64_t rounds) {
    uint64_t a[4] = {1, 2, 3, 4}, sum[4] = {};
    for (int64_t round = 0; round < rounds; ++round)
        for (int i = 0; i < 4; ++i) {
            a[i] ^= static_cast<uint64_t>(round);
            sum[i] += static_cast<uint64_t>(popcount(a[i]));
        }
    return rounds * 4 * 64 + (sum[0] + sum[1] + sum[2] + sum[3] == UINT64_MAX);
}

}  // namespace

const Kernels scalar_kernels = {"scalar", conv_bytes, conv_pack, nullptr, conv, stem_bytes, stem_pack, stem,
                                sign, pool, up_add, head_bytes, head_pack, head, mean, mix, peak};

}  // namespace hourbit
