// Real 1 x 1 convolutions between stacks, over `Lanes` as those of lanes.h; include after it.
#pragma once

#include "kernels.h"

namespace hourbit {
namespace {

template <int P, int V>
inline void mix_tile(const Mix &m, const float *inputs, int64_t pixel, int channel) {
    F sum[P][V];
    for (int v = 0; v < V; ++v)
        for (int p = 0; p < P; ++p) sum[p][v] = Lanes::load(m.bias + channel + v * N);
    const float *weight = m.weight + channel;
    for (int c = 0; c < m.taken; ++c, weight += m.channels) {
        F w[V];
        for (int v = 0; v < V; ++v) w[v] = Lanes::load(weight + v * N);
        for (int p = 0; p < P; ++p) {
            const F x = Lanes::set(inputs[p * m.in_channels + c]);
            for (int v = 0; v < V; ++v) sum[p][v] = Lanes::add(sum[p][v], Lanes::mul(x, w[v]));
        }
    }
    for (int p = 0; p < P; ++p)
        for (int v = 0; v < V; ++v) {
            const int64_t at = (pixel + p) * m.channels + channel + v * N;
            const F value = m.other ? Lanes::add(sum[p][v], Lanes::load(m.other + at)) : sum[p][v];
            Lanes::store(m.target + at, value);
        }
}

void mix(const Mix &m, int first, int last) {
    constexpr int P = 4, V = 2;  // pixels divide by 4, as the side does
    float inputs[P * MIX_CHANNELS];
    const int64_t end = static_cast<int64_t>(last) * m.side;
    for (int64_t pixel = static_cast<int64_t>(first) * m.side; pixel < end; pixel += P) {
        for (int p = 0; p < P; ++p)
            for (int c = 0; c < m.in_channels; c += N) {
                F x = Lanes::load(m.source + (pixel + p) * m.in_channels + c);
                if (m.norm_scale) x = relu(norm(x, m.norm_scale + c, m.norm_shift + c));
                Lanes::store(inputs + p * m.in_channels + c, x);
            }
        int channel = 0;
        for (; channel + V * N <= m.channels; channel += V * N) mix_tile<P, V>(m, inputs, pixel, channel);
        for (; channel < m.channels; channel += N) mix_tile<P, 1>(m, inputs, pixel, channel);
    }
}

}  // namespace
}  // namespace hourbit
