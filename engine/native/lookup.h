// Convolution of bits by table look-up, for processors that cannot count the bits of vectors: over `Bytes`, a few
// operations on a register of WIDTH bytes, and `Lanes`, whose N floats are a quarter as many.
//
// The table of an activation nibble holds popcount(i ^ nibble) for i = 0 to 15; a shuffle looks up the weight
// nibbles of WIDTH output channels at once. Bytes hold 63 such counts of at most 4, then they are widened.
#pragma once

#include "layers.h"
#include "stem.h"

namespace hourbit {
namespace {

using B = Bytes::B;
constexpr int WIDTH = Bytes::WIDTH;
constexpr int NIBBLES = 8;      // in a word
constexpr int FULL = 63;        // look-ups until bytes must be widened
constexpr int MOST_WORDS = 32;  // of a pixel

alignas(64) const uint8_t TABLE[16][16] = {
    {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4}, {1, 0, 2, 1, 2, 1, 3, 2, 2, 1, 3, 2, 3, 2, 4, 3},
    {1, 2, 0, 1, 2, 3, 1, 2, 2, 3, 1, 2, 3, 4, 2, 3}, {2, 1, 1, 0, 3, 2, 2, 1, 3, 2, 2, 1, 4, 3, 3, 2},
    {1, 2, 2, 3, 0, 1, 1, 2, 2, 3, 3, 4, 1, 2, 2, 3}, {2, 1, 3, 2, 1, 0, 2, 1, 3, 2, 4, 3, 2, 1, 3, 2},
    {2, 3, 1, 2, 1, 2, 0, 1, 3, 4, 2, 3, 2, 3, 1, 2}, {3, 2, 2, 1, 2, 1, 1, 0, 4, 3, 3, 2, 3, 2, 2, 1},
    {1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3}, {2, 1, 3, 2, 3, 2, 4, 3, 1, 0, 2, 1, 2, 1, 3, 2},
    {2, 3, 1, 2, 3, 4, 2, 3, 1, 2, 0, 1, 2, 3, 1, 2}, {3, 2, 2, 1, 4, 3, 3, 2, 2, 1, 1, 0, 3, 2, 2, 1},
    {2, 3, 3, 4, 1, 2, 2, 3, 1, 2, 2, 3, 0, 1, 1, 2}, {3, 2, 4, 3, 2, 1, 3, 2, 2, 1, 3, 2, 1, 0, 2, 1},
    {3, 4, 2, 3, 2, 3, 1, 2, 2, 3, 1, 2, 1, 2, 0, 1}, {4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0}};

constexpr int MOST_VECTORS = GROUP / WIDTH;

int vectors(int channels) { return channels > WIDTH ? MOST_VECTORS : 1; }

int64_t conv_bytes(const ConvShape &s) {
    return static_cast<int64_t>(padded(s.channels)) * s.kernel * s.kernel * words(s.in_channels) * NIBBLES;
}

// Even bytes hold the first half of a register's channels and odd ones the last, the order that widening leaves.
int lane_channel(int byte) { return byte / 2 + (byte & 1) * (WIDTH / 2); }

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
HOURBIT_INLINE void widen(B (&bytes)[P][V], B (&wide)[P][V][2]) {
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) {
            wide[p][v][0] = Bytes::add16(wide[p][v][0], Bytes::even(bytes[p][v]));
            wide[p][v][1] = Bytes::add16(wide[p][v][1], Bytes::odd(bytes[p][v]));
            bytes[p][v] = Bytes::zero();
        }
}

// The nibbles that R x W pixels and their neighbours hold, each times 16 in a byte: the offset of its table.
template <int R, int W>
HOURBIT_INLINE void spread(const ConvShape &s, int side, const uint32_t *pixels, uint64_t *to) {
    const int in_words = words(s.in_channels), count = (W + s.kernel - 1) * in_words;
    for (int y = 0; y < R + s.kernel - 1; ++y, pixels += (side + 2) * in_words)
        for (int i = 0; i < count; ++i) *to++ = Bytes::spread(pixels[i]);
}

// Differing bits of R x W pixels as 16-bit counts; `weight` as packed for V registers.
template <int R, int W, int V>
HOURBIT_INLINE void count(const ConvShape &s, int side, const uint32_t *pixels, const uint8_t *weight,
                          B (&wide)[R * W][V][2]) {
    constexpr int P = R * W;
    uint64_t nibbles[(R + 2) * (W + 2) * MOST_WORDS];
    spread<R, W>(s, side, pixels, nibbles);
    const int pixel = words(s.in_channels) * NIBBLES, pitch = (W + s.kernel - 1) * pixel;
    const uint8_t *row = reinterpret_cast<const uint8_t *>(nibbles);
    B bytes[P][V];
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) bytes[p][v] = wide[p][v][0] = wide[p][v][1] = Bytes::zero();
    int room = FULL;
    for (int ky = 0; ky < s.kernel; ++ky, row += pitch)
        for (int at = 0, end; at < s.kernel * pixel; at = end) {
            end = at + room < s.kernel * pixel ? at + room : s.kernel * pixel;
            room -= end - at;
            for (int i = at; i < end; ++i, weight += V * WIDTH) {
                B w[V];
                for (int v = 0; v < V; ++v) w[v] = Bytes::load(weight + v * WIDTH);
                for (int p = 0; p < P; ++p) {
                    const B table = Bytes::table(TABLE[0] + row[p / W * pitch + p % W * pixel + i]);
                    for (int v = 0; v < V; ++v) bytes[p][v] = Bytes::add(bytes[p][v], Bytes::look_up(table, w[v]));
                }
            }
            if (room == 0) {
                widen<P, V>(bytes, wide);
                room = FULL;
            }
        }
    widen<P, V>(bytes, wide);
}

// Half sums of P pixels in one of the four quarters of a register.
template <int P, int V>
HOURBIT_INLINE void halves(const ConvShape &s, const B (&wide)[P][V][2], int v, int quarter, I (&half)[1][P]) {
    for (int p = 0; p < P; ++p)
        half[0][p] = Bytes::from(half_products(s), wide[p][v][quarter / 2], quarter % 2);
}

template <int R, int W, int V>
inline void conv_tile(const Conv &c, const uint8_t *weight, const uint8_t *skip_weight, int y, int x, int channel) {
    constexpr int P = R * W;
    B wide[P][V][2];
    I half[1][P];
    alignas(64) float skip[P][V * WIDTH];
    fetch<R, W, V * WIDTH / N>(c, y, x, channel);
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
            const int at = v * WIDTH + quarter * N, left = c.shape.channels - channel - at;
            halves(c.shape, wide, v, quarter, half);
            finish<R, W, 1>(c, half, y, x, channel + at, left, c.skip ? skip[0] + at : nullptr, V * WIDTH);
        }
}

template <int V>
void conv_group(const Conv &c, const uint8_t *weight, const uint8_t *skip, int channel, int first, int last) {
    constexpr int WIDE = V == 1 ? 8 : 4;  // eight registers of bytes
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

void conv(const Conv &c, int first, int last, void *) {
    const uint8_t *weight = static_cast<const uint8_t *>(c.weight);
    const uint8_t *skip = static_cast<const uint8_t *>(c.skip_weight);
    for (int channel = 0; channel < c.shape.channels; channel += GROUP) {
        if (vectors(c.shape.channels - channel) == 1)
            conv_group<1>(c, weight, skip, channel, first, last);
        else
            conv_group<MOST_VECTORS>(c, weight, skip, channel, first, last);
        const int64_t nibbles = static_cast<int64_t>(words(c.shape.in_channels)) * NIBBLES;
        weight += c.shape.kernel * c.shape.kernel * nibbles * GROUP;
        if (skip) skip += static_cast<int64_t>(words(c.skip_shape.in_channels)) * NIBBLES * GROUP;
    }
}

int64_t peak(int64_t rounds) {
    B table[6], sum[6];  // as many as fit 16 registers
    for (int i = 0; i < 6; ++i) {
        table[i] = Bytes::table(TABLE[i]);
        sum[i] = Bytes::zero();
    }
    const B index = Bytes::table(TABLE[rounds & 15]);
    for (int64_t round = 0; round < rounds; ++round)
        for (int i = 0; i < 6; ++i) {
            table[i] = Bytes::look_up(table[i], index);
            sum[i] = Bytes::add(sum[i], table[i]);
        }
    for (int i = 1; i < 6; ++i) sum[0] = Bytes::add16(sum[0], sum[i]);
    alignas(64) uint8_t bytes[WIDTH];
    Bytes::store(bytes, sum[0]);
    return rounds * 6 * WIDTH * 4 + (bytes[0] == 1 && bytes[1] == 2 && rounds < 0);
}

}  // namespace
}  // namespace hourbit
