// The stem in tiles. Weights have 16 bits and tiles take 8: the sum is 256 times that of the upper bytes, which have
// the sign, plus that of the lower ones.
#pragma once

#include "tiles_amx.h"

namespace hourbit {
namespace {

constexpr int STEM_BYTES = 24;                                              // a kernel row's 7 x 3 pixels, padded
constexpr int STEM_STEPS = (STEM_KERNEL * STEM_BYTES + CHUNK - 1) / CHUNK;  // chunks of all rows
constexpr int STEM_PIXELS = 2 * N;                                          // done at a time; the side divides by it

int64_t stem_bytes(int channels) { return static_cast<int64_t>(channels) / N * STEM_STEPS * 2 * TILE; }

// (channels, 7, 7, 3) -> [channels / 16][chunk][upper, lower][16][16][4]: quarters, channels, products
void stem_pack(int channels, const int16_t *weight, void *packed) {
    uint8_t *to = static_cast<uint8_t *>(packed);
    const int row = STEM_KERNEL * 3;
    for (int channel = 0; channel < channels; ++channel)
        for (int ky = 0; ky < STEM_KERNEL; ++ky)
            for (int i = 0; i < row; ++i) {
                const int16_t value = weight[(channel * STEM_KERNEL + ky) * row + i];
                const int k = ky * STEM_BYTES + i, at = k % CHUNK / 4 * CHUNK + channel % N * 4 + k % 4;
                uint8_t *tile = to + (static_cast<int64_t>(channel / N) * STEM_STEPS + k / CHUNK) * 2 * TILE;
                tile[at] = static_cast<uint8_t>(value >> 8);
                tile[TILE + at] = static_cast<uint8_t>(value & 0xFF);
            }
}

// What the kernel sees at 32 pixels of the output, as rows of bytes.
inline void stem_views(const Stem &s, int y, int x, uint8_t *to) {
    const int64_t pitch = (2 * s.side + 2 * STEM_RING) * 3;
    for (int p = 0; p < STEM_PIXELS; ++p, to += STEM_STEPS * CHUNK)
        for (int ky = 0; ky < STEM_KERNEL; ++ky) {
            const int16_t *pixels = s.image + (2 * y + ky) * pitch + 6 * (x + p);
            const __m512i wide = _mm512_maskz_loadu_epi16((1u << STEM_KERNEL * 3) - 1, pixels);
            _mm256_storeu_si256(reinterpret_cast<__m256i *>(to + ky * STEM_BYTES), _mm512_cvtepi16_epi8(wide));
        }
}

inline void stem_sums(const uint8_t *views, const uint8_t *weight, int32_t *sums) {
    constexpr int PITCH = STEM_STEPS * CHUNK;
    all_written();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int i = 0; i < STEM_STEPS; ++i, weight += 2 * TILE) {
        _tile_loadd(4, views + i * CHUNK, PITCH);
        _tile_loadd(5, views + i * CHUNK + N * PITCH, PITCH);
        _tile_loadd(6, weight, CHUNK);
        _tile_loadd(7, weight + TILE, CHUNK);
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 5, 6);
        _tile_dpbuud(2, 4, 7);
        _tile_dpbuud(3, 5, 7);
    }
    _tile_stored(0, sums, CHUNK);
    _tile_stored(1, sums + SUMS, CHUNK);
    _tile_stored(2, sums + 2 * SUMS, CHUNK);
    _tile_stored(3, sums + 3 * SUMS, CHUNK);
}

template <int P>
inline void stem_finish(const Stem &s, const int32_t *sums, int y, int x, int channel) {
    F value[1][P];
    for (int p = 0; p < P; ++p) {
        const I sum = _mm512_add_epi32(_mm512_slli_epi32(Lanes::load(sums + p * N), 8),
                                       Lanes::load(sums + 2 * SUMS + p * N));
        value[0][p] = norm(Lanes::to_float(sum), s.scale + channel, s.bias + channel);
        value[0][p] = relu(norm(value[0][p], s.norm_scale + channel, s.norm_shift + channel));
    }
    const int64_t at = (static_cast<int64_t>(y) * s.side + x) * s.channels + channel;
    if (s.target) store_map<1, P, 1>(value, s.target + at, 0, s.channels, N);
    for (int i = 0; i < s.sign_count; ++i) write_signs<1, P, 1>(s.signs[i], value, s.side, y, x, channel, N);
}

void stem(const Stem &s, int first, int last) {
    constexpr int P = 8;
    const Tiles tiles;
    alignas(64) uint8_t views[STEM_PIXELS * STEM_STEPS * CHUNK] = {};  // what is beyond the last row stays 0
    alignas(64) int32_t sums[4 * SUMS];
    const uint8_t *weight = static_cast<const uint8_t *>(s.weight);
    for (int y = first; y < last; ++y)
        for (int x = 0; x < s.side; x += STEM_PIXELS) {
            stem_views(s, y, x, views);
            for (int channel = 0; channel < s.channels; channel += N) {
                stem_sums(views, weight + static_cast<int64_t>(channel / N) * STEM_STEPS * 2 * TILE, sums);
                for (int p = 0; p < STEM_PIXELS; p += P) stem_finish<P>(s, sums + p * N, y, x + p, channel);
            }
        }
}

}  // namespace
}  // namespace hourbit
