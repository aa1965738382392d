// Everything but convolutions of bits and the stem, over `Lanes` as in lanes.h, which this file includes.
#pragma once

#include "lanes.h"

namespace hourbit {
namespace {

void sign(const SignMap &s, int first, int last) {
    for (int y = first; y < last; ++y)
        for (int x = 0; x < s.side; ++x)
            for (int c = 0; c < s.channels; c += N) {
                const int64_t at = (static_cast<int64_t>(y) * s.side + x) * s.channels + c;
                const F value[1][1] = {{Lanes::load(s.source + at)}};
                write_signs<1, 1, 1>(s.sign, value, s.side, y, x, c, N);
            }
}

// Each 2 x 2 of the source becomes what `joined` makes of two values, twice: of the rows, then of the results.
template <class Join, class Finish>
inline void quarters(const Pool &s, int first, int last, Join joined, Finish finished) {
    const int64_t row = static_cast<int64_t>(2 * s.side) * s.channels;
    for (int y = first; y < last; ++y)
        for (int x = 0; x < s.side; ++x) {
            const float *a = s.source + 2 * y * row + static_cast<int64_t>(2 * x) * s.channels;
            float *to = s.target + (static_cast<int64_t>(y) * s.side + x) * s.channels;
            for (int c = 0; c < s.channels; c += N) {
                const F top = joined(Lanes::load(a + c), Lanes::load(a + c + s.channels));
                const F low = joined(Lanes::load(a + row + c), Lanes::load(a + row + c + s.channels));
                Lanes::store(to + c, finished(joined(top, low)));
            }
        }
}

void pool(const Pool &s, int first, int last) {
    quarters(s, first, last, [](F a, F b) { return Lanes::larger(a, b); }, [](F x) { return x; });
}

void mean(const Pool &s, int first, int last) {
    const F quarter = Lanes::set(0.25f);
    quarters(s, first, last, [](F a, F b) { return Lanes::add(a, b); },
             [quarter](F sum) { return Lanes::mul(sum, quarter); });
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

// Normalised pixels as [channel][pixel]: a lane is a pixel, so that no lane is idle whatever the landmarks' number.
inline void head_inputs(const Head &h, int64_t pixel) {
    for (int c = 0; c < h.in_channels; c += N)
        for (int first = 0; first < HEAD_PIXELS; first += N) {
            F rows[N];
            for (int p = 0; p < N; ++p) {
                const F x = Lanes::load(h.source + (pixel + first + p) * h.in_channels + c);
                rows[p] = relu(norm(x, h.norm_scale + c, h.norm_shift + c));
            }
            Lanes::transpose(rows);
            for (int lane = 0; lane < N; ++lane) Lanes::store(h.scratch + (c + lane) * HEAD_PIXELS + first, rows[lane]);
        }
}

template <int V, int K>
inline void head_tile(const Head &h, int64_t pixel, int landmark) {
    const float *weight = static_cast<const float *>(h.weight) + static_cast<int64_t>(landmark) * h.in_channels;
    F sum[K][V];
    for (int k = 0; k < K; ++k)
        for (int v = 0; v < V; ++v) sum[k][v] = Lanes::set(h.bias[landmark + k]);
    for (int c = 0; c < h.in_channels; ++c) {
        F x[V];
        for (int v = 0; v < V; ++v) x[v] = Lanes::load(h.scratch + (c * V + v) * N);
        for (int k = 0; k < K; ++k) {
            const F w = Lanes::set(weight[c * K + k]);
            for (int v = 0; v < V; ++v) sum[k][v] = Lanes::add(sum[k][v], Lanes::mul(x[v], w));
        }
    }
    const int64_t plane = static_cast<int64_t>(h.side) * h.side;
    for (int k = 0; k < K; ++k)
        for (int v = 0; v < V; ++v) Lanes::store(h.logits + (landmark + k) * plane + pixel + v * N, sum[k][v]);
}

constexpr int HEAD_TILE = N == 16 ? 16 : 4;  // landmarks

int64_t head_bytes(int in_channels, int channels) {
    return static_cast<int64_t>(in_channels) * channels * 4;
}

// (channels, in) -> [tile of landmarks][in][landmark]; tiles hold HEAD_TILE landmarks, then one each
void head_pack(int in_channels, int channels, const float *weight, void *packed) {
    float *to = static_cast<float *>(packed);
    for (int first = 0, tile; first < channels; first += tile) {
        tile = channels - first >= HEAD_TILE ? HEAD_TILE : channels - first >= 4 ? 4 : 1;
        for (int c = 0; c < in_channels; ++c)
            for (int k = first; k < first + tile; ++k) *to++ = weight[static_cast<int64_t>(k) * in_channels + c];
    }
}

void head(const Head &h, int first, int last) {
    constexpr int V = HEAD_PIXELS / N;
    const int64_t end = static_cast<int64_t>(last) * h.side;  // a multiple of 16, as the side is
    for (int64_t pixel = static_cast<int64_t>(first) * h.side; pixel < end; pixel += HEAD_PIXELS) {
        head_inputs(h, pixel);
        int k = 0;
        for (; k + HEAD_TILE <= h.channels; k += HEAD_TILE) head_tile<V, HEAD_TILE>(h, pixel, k);
        for (; k + 4 <= h.channels; k += 4) head_tile<V, 4>(h, pixel, k);
        for (; k < h.channels; ++k) head_tile<V, 1>(h, pixel, k);
    }
}

}  // namespace
}  // namespace hourbit
