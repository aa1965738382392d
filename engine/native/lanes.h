// What is done to the sums of a convolution, the same on every instruction set: written over `Lanes`, a few
// operations on N floats.
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
using Mask = Lanes::Mask;  // bit i is lane i; stored as the processors that this runs on store numbers: low byte first
constexpr int N = Lanes::N;

inline F norm(F x, const float *scale, const float *shift) {
    return Lanes::add(Lanes::mul(x, Lanes::load(scale)), Lanes::load(shift));
}

inline F relu(F x) { return Lanes::larger(x, Lanes::set(0.0f)); }

// N bits of a row of bits, or the 8 that are left of a slice.
HOURBIT_INLINE void store_mask(uint8_t *to, Mask mask, int left) {
    if (left >= N)
        memcpy(to, &mask, sizeof mask);
    else
        *to = static_cast<uint8_t>(mask);
}

inline Mask load_mask(const uint8_t *from) {
    Mask mask;
    memcpy(&mask, from, sizeof mask);
    return mask;
}

// Where a convolution reads at pixel (x, y) of a map with a ring.
inline const uint32_t *taps(const uint32_t *source, const ConvShape &shape, int side, int y, int x) {
    const int inset = 1 - shape.kernel / 2;
    return source + (static_cast<int64_t>(y + inset) * (side + 2) + x + inset) * words(shape.in_channels);
}

inline int half_products(const ConvShape &shape) { return shape.kernel * shape.kernel * shape.in_channels / 2; }

inline const int32_t *correction(const Conv &c, int y, int x) {
    const int last = c.side - 1;
    const int edges = (y == 0) | (y == last) << 1 | (x == 0) << 2 | (x == last) << 3;
    return edges ? c.correction + static_cast<int64_t>(edges) * padded(c.shape.channels) : nullptr;
}

// A tile: R x W pixels from (x, y) on, V vectors of channels from `channel` on, of which `left` exist.
// Arrays over a tile are [vector][pixel].
template <int R, int W, int V>
HOURBIT_INLINE void write_masks(uint8_t *map, int pixel, int side, int y, int x, int channel, int left,
                                const Mask (&mask)[V][R * W], const uint8_t *flip) {
    uint8_t *to = map + (static_cast<int64_t>(y + 1) * (side + 2) + x + 1) * pixel + channel / 8;
    const int64_t row = static_cast<int64_t>(side + 2) * pixel;
    for (int v = 0; v < V; ++v) {
        const Mask flipped = load_mask(flip + channel / 8 + v * (N / 8));
        for (int p = 0; p < R * W; ++p)
            store_mask(to + p / W * row + p % W * pixel + v * (N / 8), static_cast<Mask>(mask[v][p] ^ flipped),
                       left - v * N);
    }
}

template <int R, int W, int V>
HOURBIT_INLINE void write_signs(const Sign &s, const F (&value)[V][R * W], int side, int y, int x, int channel,
                                int left) {
    Mask mask[V][R * W];
    for (int v = 0; v < V; ++v) {
        const F threshold = Lanes::load(s.threshold + channel + v * N);
        for (int p = 0; p < R * W; ++p) mask[v][p] = Lanes::above(value[v][p], threshold);
    }
    write_masks<R, W, V>(s.bits, s.pixel, side, y, x, channel, left, mask, s.flip);
}

template <int R, int W, int V>
HOURBIT_INLINE void add_map(F (&value)[V][R * W], const float *from, int64_t row, int64_t pixel, int left) {
    for (int p = 0; p < R * W; ++p)
        for (int v = 0; v < V; ++v) {
            const F more = Lanes::load_some(from + p / W * row + p % W * pixel + v * N, left - v * N);
            value[v][p] = Lanes::add(value[v][p], more);
        }
}

template <int R, int W, int V>
HOURBIT_INLINE void store_map(const F (&value)[V][R * W], float *to, int64_t row, int64_t pixel, int left) {
    for (int p = 0; p < R * W; ++p)
        for (int v = 0; v < V; ++v)
            Lanes::store_some(to + p / W * row + p % W * pixel + v * N, value[v][p], left - v * N);
}

// Tiles of more than one pixel a row begin at an even one, and those of two rows at an even row.
template <int R, int W, int V>
HOURBIT_INLINE void add_enlarged(const Conv &c, F (&value)[V][R * W], int y, int x, int channel, int left) {
    const int64_t pixel = static_cast<int64_t>(y / 2) * (c.side / 2) + x / 2;
    const float *from = c.up + pixel * c.stride + channel;
    for (int v = 0; v < V; ++v)
        for (int q = 0; q < (W + 1) / 2; ++q) {
            const F more = Lanes::load_some(from + static_cast<int64_t>(q) * c.stride + v * N, left - v * N);
            for (int p = 0; p < R * W; ++p)
                if (p % W / 2 == q) value[v][p] = Lanes::add(value[v][p], more);
        }
}

template <int W, int V>
HOURBIT_INLINE void finish_pooled(const Conv &c, const F (&value)[V][2 * W], int y, int x, int channel, int left) {
    constexpr int H = W / 2;
    F most[V][H];
    for (int v = 0; v < V; ++v)
        for (int p = 0; p < H; ++p) {
            const F *of = value[v] + 2 * p;
            most[v][p] = Lanes::larger(Lanes::larger(of[0], of[1]), Lanes::larger(of[W], of[W + 1]));
        }
    const int64_t pixel = static_cast<int64_t>(y / 2) * (c.side / 2) + x / 2;
    if (c.pooled) store_map<1, H, V>(most, c.pooled + pixel * c.stride + channel, 0, c.stride, left);
    for (int i = 0; i < c.sign_count; ++i)
        if (c.signs[i].pooled) write_signs<1, H, V>(c.signs[i], most, c.side / 2, y / 2, x / 2, channel, left);
}

// Asks for what a tile will read and write once its sums are done: maps of floats do not fit the inner caches.
template <int R, int W, int V>
HOURBIT_INLINE void fetch(const Conv &c, int y, int x, int channel) {
    const int64_t row = static_cast<int64_t>(c.side) * c.stride;
    const int64_t first = y * row + static_cast<int64_t>(x) * c.stride + channel;
    if (c.up) {
        const float *up = c.up + (static_cast<int64_t>(y / 2) * (c.side / 2) + x / 2) * c.stride + channel;
        for (int q = 0; q < (W + 1) / 2; ++q)
            for (int v = 0; v < V; v += 16 / N) HOURBIT_FETCH(up + static_cast<int64_t>(q) * c.stride + v * N);
    }
    if (c.pooled) {
        const float *pooled = c.pooled + (static_cast<int64_t>(y / 2) * (c.side / 2) + x / 2) * c.stride + channel;
        for (int q = 0; q < W / 2; ++q)
            for (int v = 0; v < V; v += 16 / N) HOURBIT_FETCH(pooled + static_cast<int64_t>(q) * c.stride + v * N);
    }
    const float *map = c.other ? c.other : c.target;
    if (!map) return;
    for (int p = 0; p < R * W; ++p)
        for (int v = 0; v < V; v += 16 / N) HOURBIT_FETCH(map + first + p / W * row + p % W * c.stride + v * N);
    if (c.target && c.target != map)
        for (int p = 0; p < R * W; ++p)
            for (int v = 0; v < V; v += 16 / N) HOURBIT_FETCH(c.target + first + p / W * row + p % W * c.stride + v * N);
}

// Half sums of a tile -> twice the scale, ReLU.
template <int P, int V>
HOURBIT_INLINE void scale(const I (&half)[V][P], const float *alpha, bool rectified, F (&value)[V][P]) {
    for (int v = 0; v < V; ++v) {
        const F by = Lanes::load(alpha + v * N);
        for (int p = 0; p < P; ++p) value[v][p] = Lanes::mul(Lanes::to_float(half[v][p]), by);
    }
    if (rectified)
        for (int v = 0; v < V; ++v)
            for (int p = 0; p < P; ++p) value[v][p] = relu(value[v][p]);
}

template <int R, int W, int V>
HOURBIT_INLINE void correct(const Conv &c, I (&half)[V][R * W], int y, int x, int channel) {
    for (int p = 0; p < R * W; ++p)
        if (const int32_t *corrected = correction(c, y + p / W, x + p % W))
            for (int v = 0; v < V; ++v)
                half[v][p] = Lanes::add(half[v][p], Lanes::load(corrected + channel + v * N));
}

// Half sums of a tile -> its signs, slice of the residual map, maximum, and their signs. `skip` holds what is added,
// [pixel][skip_pitch], or is null.
template <int R, int W, int V>
HOURBIT_INLINE void finish(const Conv &c, I (&half)[V][R * W], int y, int x, int channel, int left, const float *skip,
                           int skip_pitch) {
    constexpr int P = R * W;
    if (c.correction) correct<R, W, V>(c, half, y, x, channel);
    if (c.bits) {
        Mask mask[V][P];
        for (int v = 0; v < V; ++v) {
            const I threshold = Lanes::load(c.threshold + channel + v * N);
            for (int p = 0; p < P; ++p) mask[v][p] = Lanes::at_least(half[v][p], threshold);
        }
        write_masks<R, W, V>(reinterpret_cast<uint8_t *>(c.bits), words(c.shape.channels) * 4, c.side, y, x, channel,
                             V * N, mask, c.flip);
    }
    if (!c.target && !c.pooled && !c.sign_count) return;
    F value[V][P];
    scale<P, V>(half, c.alpha + channel, c.relu, value);
    const int64_t row = static_cast<int64_t>(c.side) * c.stride;
    const int64_t first = y * row + static_cast<int64_t>(x) * c.stride + channel;
    if (skip) add_map<R, W, V>(value, skip, W * skip_pitch, skip_pitch, V * N);
    if (c.other) add_map<R, W, V>(value, c.other + first, row, c.stride, left);
    if (c.up) add_enlarged<R, W, V>(c, value, y, x, channel, left);
    if (c.target) store_map<R, W, V>(value, c.target + first, row, c.stride, left);
    for (int i = 0; i < c.sign_count; ++i)
        if (!c.signs[i].pooled) write_signs<R, W, V>(c.signs[i], value, c.side, y, x, channel, left);
    if constexpr (R == 2)
        if (c.pairs) finish_pooled<W, V>(c, value, y, x, channel, left);
}

// What the convolution of the skip adds to P pixels.
template <int P, int V>
HOURBIT_INLINE void finish_skip(const Conv &c, const I (&half)[V][P], int channel, float *to, int pitch) {
    F value[V][P];
    scale<P, V>(half, c.skip_alpha + channel, c.relu, value);
    store_map<1, P, V>(value, to, 0, pitch, V * N);
}

}  // namespace
}  // namespace hourbit
