// AMX: a convolution of bits as products of bytes, 16 pixels x 16 output channels x 64 input channels an instruction.
//
// Tiles know bytes, not bits: a set bit is read as 1, a clear one as 0, a weight as +1 or -1. Differing bits are
// sum(bit) + sum(weight bit) - 2 sum(bit * weight bit), so half = products / 2 - sum(weight bit) + sum(bit * weight),
// of which the first two terms are what a sum starts from. Bits become bytes where they are used, in memory that the
// caller lends: the bytes of all weights and maps would leave the inner caches.
#include "stem_amx.h"
#include "tiles_amx.h"
#include "lanes_more.h"

namespace hourbit {
namespace {

constexpr int STRIP = 2 * N;              // columns whose pixels are bytes at a time
constexpr int SLOTS = 4;                  // rows of them: two rows of output and a neighbour on each side
constexpr int BLOCK = 4 * SUMS;           // of two tiles of pixels and two of channels
constexpr int64_t PASS = 160 * 1024;      // most bytes of weights at a time, if two tiles of channels need no more

int tiles(int channels) { return (channels + N - 1) / N; }
int pixel_bytes(const ConvShape &s) { return words(s.in_channels) * 32; }
int chunks(const ConvShape &s) { return (s.kernel * pixel_bytes(s) + CHUNK - 1) / CHUNK; }  // of a row of the kernel
int steps(const ConvShape &s) { return s.kernel * chunks(s); }
int64_t slot_bytes(const ConvShape &s) { return static_cast<int64_t>(STRIP + s.kernel - 1) * pixel_bytes(s); }

// Tiles of channels done together, an even number.
int pass_tiles(const ConvShape &s) {
    const int most = static_cast<int>(PASS / TILE) / steps(s) / 2 * 2, all = (tiles(s.channels) + 1) / 2 * 2;
    return most < 2 ? 2 : most < all ? most : all;
}

int64_t weight_bytes(const ConvShape &s) { return static_cast<int64_t>(pass_tiles(s)) * steps(s) * TILE; }

// Weights, then pixels; a tile's last row may be read beyond their end.
int64_t lent_bytes(const ConvShape &s) {
    return weight_bytes(s) + (SLOTS * slot_bytes(s) + 2 * CHUNK - 1) / CHUNK * CHUNK;
}

int64_t conv_lent(const Conv &c) { return lent_bytes(c.shape) + (c.skip ? lent_bytes(c.skip_shape) : 0); }

// Of an operand's weights: int32 [tiles][16] that sums start from, then bits [tiles][ky][chunk][16][16][4], quarters
// of a chunk, channels and products, in the order of the bytes of a tile.
int64_t conv_bytes(const ConvShape &s) {
    return static_cast<int64_t>(tiles(s.channels)) * (N * 4 + steps(s) * (TILE / 8));
}

void conv_pack(const ConvShape &s, const uint8_t *bits, void *packed) {
    constexpr int QUARTER = N * 4 / 8, BYTES = TILE / 8;  // of all channels' four products, and of a tile, in bits
    int32_t *start = static_cast<int32_t *>(packed);
    uint8_t *tiles_of_bits = reinterpret_cast<uint8_t *>(start + tiles(s.channels) * N);
    const int tap_bytes = s.in_channels / 8;
    for (int channel = 0; channel < s.channels; ++channel) {
        uint8_t *tile = tiles_of_bits + static_cast<int64_t>(channel / N) * steps(s) * BYTES + channel % N / 2;
        const int shift = channel % 2 * 4;
        start[channel] = half_products(s);
        for (int ky = 0; ky < s.kernel; ++ky)
            for (int kx = 0; kx < s.kernel; ++kx) {
                uint8_t *to = tile + (ky * chunks(s) * N + kx * pixel_bytes(s) / 4) * QUARTER;
                for (int i = 0; i < tap_bytes; ++i, ++bits, to += 2 * QUARTER) {
                    to[0] |= static_cast<uint8_t>((*bits & 15) << shift);
                    to[QUARTER] |= static_cast<uint8_t>(*bits >> 4 << shift);
                    start[channel] -= _mm_popcnt_u32(*bits);
                }
            }
    }
}

// One of the two convolutions of a Conv.
struct Operand {
    ConvShape shape;
    const uint32_t *source;
    const int32_t *start;
    const uint8_t *bits;
    int8_t *weight;  // of this pass, [tiles][ky][chunk]
    uint8_t *slots;  // row y in slot y % SLOTS
};

Operand operand(const ConvShape &shape, const uint32_t *source, const void *packed, void *lent) {
    const int32_t *start = static_cast<const int32_t *>(packed);
    int8_t *weight = static_cast<int8_t *>(lent);
    return {shape, source, start, reinterpret_cast<const uint8_t *>(start + tiles(shape.channels) * N), weight,
            reinterpret_cast<uint8_t *>(weight + weight_bytes(shape))};
}

inline __mmask64 load_bits(const void *from) {
    __mmask64 mask;
    memcpy(&mask, from, sizeof mask);
    return mask;
}

// The weights of tiles of channels `first` to `last` - 1.
void spread_weights(const Operand &o, int first, int last) {
    const __m512i set = _mm512_set1_epi8(1), clear = _mm512_set1_epi8(-1);
    const int row = o.shape.kernel * pixel_bytes(o.shape);
    const uint8_t *from = o.bits + static_cast<int64_t>(first) * steps(o.shape) * (TILE / 8);
    int8_t *to = o.weight;
    for (int i = 0; i < (last - first) * o.shape.kernel; ++i)
        for (int at = 0; at < chunks(o.shape) * CHUNK; at += 4, from += CHUNK / 8, to += CHUNK) {
            const __m512i weight = _mm512_mask_blend_epi8(load_bits(from), clear, set);
            _mm512_store_si512(to, at < row ? weight : _mm512_setzero_si512());
        }
}

// The first kernel row's view of row y: `columns` pixels from x on and their neighbours.
void spread_pixels(const Operand &o, int side, int y, int x, int columns) {
    const __m512i one = _mm512_set1_epi8(1);
    const uint32_t *from = taps(o.source, o.shape, side, y, x);
    uint8_t *to = o.slots + y % SLOTS * slot_bytes(o.shape);
    const int count = (columns + o.shape.kernel - 1) * words(o.shape.in_channels);
    for (int i = 0; i + 2 <= count; i += 2)
        _mm512_storeu_si512(to + 32 * i, _mm512_maskz_mov_epi8(load_bits(from + i), one));
    if (count % 2)
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to + 32 * (count - 1)),
                            _mm256_maskz_mov_epi8(from[count - 1], _mm256_set1_epi8(1)));
}

// A block: 16 pixels of row y and as many of the next row, or of the same row right of them; two tiles of channels.
struct Place {
    int y, x, tile;
    bool rows;
    int strip, pass;  // where the operands' bytes begin

    int width() const { return rows ? N : 2 * N; }
};

// The sums of a block, [channel tile][pixel tile][16 pixels][16 channels]; `meanwhile` is done while tiles multiply.
template <class Meanwhile>
HOURBIT_INLINE void multiply(const Operand &o, const Place &at, int32_t *sums, Meanwhile meanwhile) {
    const int pixel = pixel_bytes(o.shape), in_chunks = chunks(o.shape);
    const bool two = at.tile + 1 < tiles(o.shape.channels);  // without a second tile the first is done twice
    const int32_t *start = o.start + at.tile * N, *next_start = start + (two ? N : 0);
    const int8_t *weight = o.weight + static_cast<int64_t>(at.tile - at.pass) * steps(o.shape) * TILE;
    const int64_t next_weight = two ? static_cast<int64_t>(steps(o.shape)) * TILE : 0;
    all_written();
    _tile_loadd(0, start, 0);
    _tile_loadd(1, start, 0);
    _tile_loadd(2, next_start, 0);
    _tile_loadd(3, next_start, 0);
    for (int ky = 0; ky < o.shape.kernel; ++ky) {
        const int64_t column = static_cast<int64_t>(at.x - at.strip) * pixel;
        const uint8_t *a = o.slots + (at.y + ky) % SLOTS * slot_bytes(o.shape) + column;
        const uint8_t *below = o.slots + (at.y + ky + 1) % SLOTS * slot_bytes(o.shape) + column;
        const uint8_t *b = at.rows ? below : a + N * pixel;
        for (int i = 0; i < in_chunks; ++i, a += CHUNK, b += CHUNK, weight += TILE) {
            _tile_loadd(4, a, pixel);
            _tile_loadd(5, b, pixel);
            _tile_loadd(6, weight, CHUNK);
            _tile_loadd(7, weight + next_weight, CHUNK);
            _tile_dpbusd(0, 4, 6);
            _tile_dpbusd(1, 5, 6);
            _tile_dpbusd(2, 4, 7);
            _tile_dpbusd(3, 5, 7);
        }
        if (ky == o.shape.kernel / 2) meanwhile();
    }
    _tile_stored(0, sums, CHUNK);
    _tile_stored(1, sums + SUMS, CHUNK);
    _tile_stored(2, sums + 2 * SUMS, CHUNK);
    _tile_stored(3, sums + 3 * SUMS, CHUNK);
}

template <int R, int W, int V>
HOURBIT_INLINE void gather(const int32_t *sums, bool rows, int x, I (&half)[V][R * W]) {
    for (int v = 0; v < V; ++v)
        for (int p = 0; p < R * W; ++p)
            half[v][p] = Lanes::load(sums + v * 2 * SUMS + (rows ? p / W * N + x + p % W : x + p) * N);
}

// R x W pixels of a block from its column x on.
template <int R, int W, int V, bool WHOLE>
HOURBIT_INLINE void finish_piece(const Conv &c, const int32_t *sums, const int32_t *skip_sums, const Place &at, int x) {
    const int channel = at.tile * N, left = WHOLE ? V * N : c.shape.channels - channel;
    I half[V][R * W];
    alignas(64) float skip[R * W][V * N];
    if (c.skip) {
        gather<R, W, V>(skip_sums, at.rows, x, half);
        finish_skip(c, half, channel, skip[0], V * N);
    }
    gather<R, W, V>(sums, at.rows, x, half);
    finish<R, W, V>(c, half, at.y, at.x + x, channel, left, c.skip ? skip[0] : nullptr, V * N);
}

template <int V, bool WHOLE>
void finish_tiles(const Conv &c, const int32_t *sums, const int32_t *skip_sums, const Place &at) {
    const int width = c.side - at.x < at.width() ? c.side - at.x : at.width();
    int x = 0;
    if (at.rows) {
        for (; x + 4 <= width; x += 4) finish_piece<2, 4, V, WHOLE>(c, sums, skip_sums, at, x);
        for (; x < width; x += 2) finish_piece<2, 2, V, WHOLE>(c, sums, skip_sums, at, x);
    } else {
        for (; x + 8 <= width; x += 8) finish_piece<1, 8, V, WHOLE>(c, sums, skip_sums, at, x);
        for (; x < width; ++x) finish_piece<1, 1, V, WHOLE>(c, sums, skip_sums, at, x);
    }
}

void finish_block(const Conv &c, const int32_t *sums, const int32_t *skip_sums, const Place &at) {
    const int left = c.shape.channels - at.tile * N;
    if (left >= 2 * N) return finish_tiles<2, true>(c, sums, skip_sums, at);
    if (left > N) return finish_tiles<2, false>(c, sums, skip_sums, at);
    return left == N ? finish_tiles<1, true>(c, sums, skip_sums, at) : finish_tiles<1, false>(c, sums, skip_sums, at);
}

// A strip of columns for the tiles of channels of a pass. Each block is finished while the next one multiplies.
void conv_strip(const Conv &c, const Operand &main, const Operand &skip, int x, int first, int last, int pass, int end) {
    const int columns = c.side - x < STRIP ? c.side - x : STRIP;
    alignas(64) int32_t sums[2][BLOCK], skip_sums[2][BLOCK];
    Place before = {};
    int turn = 0;
    bool begun = false;
    const auto finish_before = [&] {
        if (begun) finish_block(c, sums[!turn], skip_sums[!turn], before);
    };
    int ready = first;  // the first row of pixels that is not bytes yet
    for (int y = first, next; y < last; y = next) {
        const bool rows = y + 2 <= last && c.side % 2 == 0;
        next = y + 1 + rows;
        if (c.skip)
            for (int row = y; row < next; ++row) spread_pixels(skip, c.side, row, x, columns);
        for (; ready < next + c.shape.kernel - 1; ++ready) spread_pixels(main, c.side, ready, x, columns);
        for (int tile = pass; tile < end; tile += 2)
            for (int column = 0; column < columns; column += before.width()) {
                const Place at = {y, x + column, tile, rows, x, pass};
                rows ? fetch<2, N, 2>(c, y, at.x, tile * N) : fetch<1, 2 * N, 2>(c, y, at.x, tile * N);
                if (c.skip) multiply(skip, at, skip_sums[turn], [] {});
                multiply(main, at, sums[turn], finish_before);
                before = at;
                begun = true;
                turn = !turn;
            }
    }
    finish_before();
}

void conv(const Conv &c, int first, int last, void *lent) {
    const Tiles in_use;
    const Operand main = operand(c.shape, c.source, c.weight, lent);
    void *rest = static_cast<char *>(lent) + lent_bytes(c.shape);
    const Operand skip = c.skip ? operand(c.skip_shape, c.skip, c.skip_weight, rest) : Operand{};
    const int all = tiles(c.shape.channels), most = pass_tiles(c.shape);
    const int together = c.skip && pass_tiles(c.skip_shape) < most ? pass_tiles(c.skip_shape) : most;
    const bool kept = c.again && together >= all;
    for (int pass = 0; pass < all; pass += together) {
        const int end = pass + together < all ? pass + together : all;
        if (!kept) spread_weights(main, pass, end);
        if (!kept && c.skip) spread_weights(skip, pass, end);
        for (int x = 0; x < c.side; x += STRIP) conv_strip(c, main, skip, x, first, last, pass, end);
    }
}

int64_t peak(int64_t rounds) {
    alignas(64) int32_t sum[SUMS];
    const Tiles tiles;
    for (int64_t round = 0; round < rounds; ++round) {
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 5, 6);
        _tile_dpbusd(2, 4, 7);
        _tile_dpbusd(3, 5, 7);
    }
    _tile_stored(0, sum, CHUNK);
    return rounds * 4 * SUMS * CHUNK + (sum[0] == 1);  // 0 times 0
}

}  // namespace

const Kernels amx_kernels = {"amx", conv_bytes, conv_pack, conv_lent, conv, stem_bytes, stem_pack, stem,
                             sign, pool, up_add, head_bytes, head_pack, head, mean, mix, peak};

}  // namespace hourbit
