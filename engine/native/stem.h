// The stem over `Lanes`: 16-bit products, two at a time; include after lanes.h.
#pragma once

#include "lanes.h"

namespace hourbit {
namespace {

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
    F value[V][P];
    for (int v = 0; v < V; ++v) {
        const int c = channel + v * N;
        for (int p = 0; p < P; ++p) {
            value[v][p] = norm(Lanes::to_float(sum[p][v]), s.scale + c, s.bias + c);
            value[v][p] = relu(norm(value[v][p], s.norm_scale + c, s.norm_shift + c));
        }
    }
    const int64_t at = (static_cast<int64_t>(y) * s.side + x) * s.channels + channel;
    if (s.target) store_map<1, P, V>(value, s.target + at, 0, s.channels, V * N);
    for (int i = 0; i < s.sign_count; ++i) write_signs<1, P, V>(s.signs[i], value, s.side, y, x, channel, V * N);
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

}  // namespace
}  // namespace hourbit
