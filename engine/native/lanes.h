// Kernels that read the same on every instruction set, written over `Lanes`, a few operations on N floats.
//
// Include after `struct Lanes` has been defined in an unnamed namespace. Every multiplication and addition is
// rounded on its own, in the order of the reference (engine/runtime/reference.py); compile without contraction.
#pragma once

#include <string.h>

#include "kernels.h"

namespace hourbit {
namespace {

using F = Lanes::F;
using I = Lanes::I;
constexpr int N = Lanes::N;

inline F norm(F x, const float *scale, const float *shift) {
    return Lanes::add(Lanes::mul(x, Lanes::load(scale)), Lanes::load(shift));
}

inline F relu(F x) { return Lanes::larger(x, Lanes::set(0.0f)); }

inline void store_mask(void *to, uint32_t mask) {
    uint8_t bytes[N / 8];
    for (int i = 0; i < N / 8; ++i) bytes[i] = static_cast<uint8_t>(mask >> (8 * i));
    memcpy(to, bytes, sizeof bytes);
}

inline uint32_t load_mask(const uint8_t *from) {
    uint32_t mask = 0;
    for (int i = 0; i < N / 8; ++i) mask |= static_cast<uint32_t>(from[i]) << (8 * i);
    return mask;
}

// Where a convolution reads and writes at pixel (x, y).
inline const uint32_t *taps(const Conv &c, int y, int x) {
    const int inset = 1 - c.shape.kernel / 2;
    return c.source + (static_cast<int64_t>(y + inset) * (c.side + 2) + x + inset) * words(c.shape.in_channels);
}

inline const int32_t *correction(const Conv &c, int y, int x) {
    if (!c.correction) return nullptr;
    const int last = c.side - 1;
    const int edges = (y == 0) | (y == last) << 1 | (x == 0) << 2 | (x == last) << 3;
    return edges ? c.correction + static_cast<int64_t>(edges) * padded(c.shape.channels) : nullptr;
}

// Differing bits of N output channels at one pixel -> residual slice and next bits.
inline void finish(const Conv &c, I differing, int y, int x, int channel, const int32_t *corrected) {
    if (corrected) differing = Lanes::sub(differing, Lanes::load(corrected + channel));
    if (c.bits) {
        uint32_t mask = Lanes::at_most(differing, Lanes::load(c.threshold + channel));
        mask ^= load_mask(c.flip + channel / 8);
        const int64_t pixel = static_cast<int64_t>(y + 1) * (c.side + 2) + x + 1;
        store_mask(reinterpret_cast<uint8_t *>(c.bits + pixel * words(c.shape.channels)) + channel / 8, mask);
    }
    if (c.target) {
        const int total = c.shape.kernel * c.shape.kernel * c.shape.in_channels;
        const int left = c.shape.channels - channel;
        const int64_t at = (static_cast<int64_t>(y) * c.side + x) * c.stride + channel;
        I dot = Lanes::sub(Lanes::sub(Lanes::set(total), differing), differing);
        F value = Lanes::mul(Lanes::to_float(dot), Lanes::load(c.alpha + channel));
        if (c.relu) value = relu(value);
        if (c.other) value = Lanes::add(value, Lanes::load_some(c.other + at, left));
        Lanes::store_some(c.target + at, value, left);
    }
}

int64_t stem_bytes(int channels) { return static_cast<int64_t>(channels) * STEM_KERNEL * STEM_ROW * 2; }

// (channels, 7, 7, 3) -> [channels / N][7][11 pairs][N][2]
void stem_pack(int channels, const int16_t *weight, void *packed) {
    int16_t *to = static_cast<int16_t *>(packed);
    const int row = STEM_KERNEL * 3;
    for (int first = 0; first < channels; first += N)
        for (int ky = 0; ky < STEM_KERNEL; ++ky)
            for (int i = 0; i < STEM_ROW; i += 2)
                for (int lane = 0; lane < N; ++lane)
                    for (int half = 0; half < 2; ++half)
                        *to++ = i + half < row ? weight[((first + lane) * STEM_KERNEL + ky) * row + i + half] : 0;
}

template <int P, int V>
inline void stem_tile(const Stem &s, int y, int x, int channel) {
    constexpr int BLOCK = STEM_KERNEL * STEM_ROW * N;  // int16 values of N channels
    const int16_t *weight = static_cast<const int16_t *>(s.weight) + static_cast<int64_t>(channel / N) * BLOCK;
    const int64_t pitch = (2 * s.side + 2 * STEM_RING) * 3;
    I sum[P][V];
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) sum[p][v] = Lanes::set(0);
    for (int ky = 0; ky < STEM_KERNEL; ++ky) {
        const int16_t *pixels = s.image + (2 * y + ky) * pitch + 6 * x;
        for (int i = 0; i < STEM_ROW; i += 2, weight += 2 * N) {
            I w[V];
            for (int v = 0; v < V; ++v) w[v] = Lanes::load_pairs(weight + v * BLOCK);
            for (int p = 0; p < P; ++p) {
                const I pair = Lanes::set_pair(pixels + 6 * p + i);
                for (int v = 0; v < V; ++v) sum[p][v] = Lanes::add_products(sum[p][v], pair, w[v]);
            }
        }
    }
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) {
            const int c = channel + v * N;
            F value = norm(Lanes::to_float(sum[p][v]), s.scale + c, s.bias + c);
            value = relu(norm(value, s.norm_scale + c, s.norm_shift + c));
            Lanes::store(s.target + (static_cast<int64_t>(y) * s.side + x + p) * s.channels + c, value);
        }
}

template <int V>
int stem_row(const Stem &s, int y, int channel) {
    for (; channel + V * N <= s.channels; channel += V * N)
        for (int x = 0; x < s.side; x += 4) stem_tile<4, V>(s, y, x, channel);  // the side is a multiple of 32
    return channel;
}

// A row at a time: its weights fit the first cache together with the row that is written.
void stem(const Stem &s, int first, int last) {
    for (int y = first; y < last; ++y) {
        int channel = N == 16 ? stem_row<4>(s, y, 0) : 0;
        channel = stem_row<2>(s, y, channel);
        stem_row<1>(s, y, channel);
    }
}

void sign(const Sign &s, int first, int last) {
    const int out_words = words(s.channels);
    for (int y = first; y < last; ++y)
        for (int x = 0; x < s.side; ++x) {
            const float *from = s.source + (static_cast<int64_t>(y) * s.side + x) * s.channels;
            uint32_t *pixel = s.bits + (static_cast<int64_t>(y + 1) * (s.side + 2) + x + 1) * out_words;
            uint8_t *to = reinterpret_cast<uint8_t *>(pixel);
            for (int c = 0; c < s.channels; c += N)
                store_mask(to + c / 8, Lanes::positive(norm(Lanes::load(from + c), s.scale + c, s.shift + c)));
        }
}

void pool(const Pool &s, int first, int last) {
    const int64_t row = static_cast<int64_t>(2 * s.side) * s.channels;
    for (int y = first; y < last; ++y)
        for (int x = 0; x < s.side; ++x) {
            const float *a = s.source + 2 * y * row + static_cast<int64_t>(2 * x) * s.channels;
            float *to = s.target + (static_cast<int64_t>(y) * s.side + x) * s.channels;
            for (int c = 0; c < s.channels; c += N) {
                const F top = Lanes::larger(Lanes::load(a + c), Lanes::load(a + c + s.channels));
                const F low = Lanes::larger(Lanes::load(a + row + c), Lanes::load(a + row + c + s.channels));
                Lanes::store(to + c, Lanes::larger(top, low));
            }
        }
}

void up_add(const UpAdd &s, int first, int last) {
    for (int y = first; y < last; ++y)
        for (int x = 0; x < s.side; ++x) {
            const int64_t at = (static_cast<int64_t>(y) * s.side + x) * s.channels;
            const float *from = s.source + (static_cast<int64_t>(y / 2) * (s.side / 2) + x / 2) * s.channels;
            for (int c = 0; c < s.channels; c += N)
                Lanes::store(s.target + at + c, Lanes::add(Lanes::load(s.other + at + c), Lanes::load(from + c)));
        }
}

int64_t head_bytes(int in_channels, int channels) {
    return static_cast<int64_t>(in_channels) * padded(channels) * 4;
}

// (channels, in) -> [padded channels / N][in][N]
void head_pack(int in_channels, int channels, const float *weight, void *packed) {
    float *to = static_cast<float *>(packed);
    for (int first = 0; first < padded(channels); first += N)
        for (int c = 0; c < in_channels; ++c)
            for (int lane = first; lane < first + N; ++lane)
                *to++ = lane < channels ? weight[static_cast<int64_t>(lane) * in_channels + c] : 0.0f;
}

template <int P>
inline void head_tile(const Head &h, int64_t pixel) {
    const int in = h.in_channels;
    for (int p = 0; p < P; ++p)
        for (int c = 0; c < in; c += N) {
            const F x = Lanes::load(h.source + (pixel + p) * in + c);
            Lanes::store(h.scratch + p * in + c, relu(norm(x, h.norm_scale + c, h.norm_shift + c)));
        }
    const int64_t plane = static_cast<int64_t>(h.side) * h.side;
    for (int first = 0; first < h.channels; first += N) {
        const float *weight = static_cast<const float *>(h.weight) + static_cast<int64_t>(first) * in;
        F sum[P];
        for (int p = 0; p < P; ++p) sum[p] = Lanes::load(h.bias + first);
        for (int c = 0; c < in; ++c, weight += N) {
            const F w = Lanes::load(weight);
            for (int p = 0; p < P; ++p) sum[p] = Lanes::add(sum[p], Lanes::mul(Lanes::set(h.scratch[p * in + c]), w));
        }
        float columns[P][N];
        for (int p = 0; p < P; ++p) Lanes::store(columns[p], sum[p]);
        for (int lane = 0; lane < N && first + lane < h.channels; ++lane)
            for (int p = 0; p < P; ++p) h.logits[(first + lane) * plane + pixel + p] = columns[p][lane];
    }
}

void head(const Head &h, int first, int last) {
    static_assert(Lanes::HEAD_TILE <= HEAD_SCRATCH, "scratch too small");
    const int64_t end = static_cast<int64_t>(last) * h.side;  // a multiple of 16, as the side is
    for (int64_t pixel = static_cast<int64_t>(first) * h.side; pixel < end; pixel += Lanes::HEAD_TILE)
        head_tile<Lanes::HEAD_TILE>(h, pixel);
}

}  // namespace
}  // namespace hourbit
