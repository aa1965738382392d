// What net.cpp and the kernels of every instruction set agree on: arguments and one table of functions.
//
// Plain data only. The kernel files are compiled for different processors, so nothing inline may be shared
// between them through the linker: helpers live in unnamed namespaces.
#pragma once

#include <stdint.h>

namespace hourbit {

constexpr int GROUP = 64;         // output channels of a convolution tile; per-channel arrays are padded to it
constexpr int STEM_KERNEL = 7;
constexpr int STEM_ROW = 22;      // 7 x 3 products of a kernel row, padded to pairs
constexpr int STEM_RING = 3;

static constexpr int padded(int channels) { return (channels + GROUP - 1) / GROUP * GROUP; }
static constexpr int words(int channels) { return (channels + 31) / 32; }

// Shape of a binary convolution, enough to pack its weights.
struct ConvShape {
    int kernel, in_channels, channels;
};

// One binary convolution over a whole map. `source` and `bits` begin at the ring, `target` and `other` at the
// slice's first channel.
struct Conv {
    ConvShape shape;
    int side;
    const uint32_t *source;
    const void *weight;
    const float *alpha;         // padded
    bool relu;
    float *target;              // or null
    const float *other;         // added, or null; may be target
    int stride;
    uint32_t *bits;             // or null
    const int32_t *threshold;   // padded with -1
    const uint8_t *flip;        // one bit a channel, padded with 0
    const int32_t *correction;  // [16 border classes][padded channels], null with padding -1
};

// image: int16 pixels with a ring of STEM_RING zero pixels, rows of (2 * side + 6) * 3 values.
struct Stem {
    int side, channels;
    const int16_t *image;
    const void *weight;
    const float *scale, *bias, *norm_scale, *norm_shift;
    float *target;
};

struct Sign {
    int side, channels;
    const float *source;
    const float *scale, *shift;
    uint32_t *bits;
};

struct Pool {
    int side, channels;  // of the output
    const float *source;
    float *target;
};

struct UpAdd {
    int side, channels;  // of the output
    const float *source;
    const float *other;
    float *target;
};

struct Head {
    int side, in_channels, channels;
    const float *source;
    const void *weight;
    const float *bias;  // padded
    const float *norm_scale, *norm_shift;
    float *scratch;     // HEAD_SCRATCH * in_channels floats
    float *logits;
};

constexpr int HEAD_SCRATCH = 16;

// What runs takes the rows of its output from `first` to `last` - 1.
struct Kernels {
    const char *name;
    int64_t (*conv_bytes)(const ConvShape &);
    void (*conv_pack)(const ConvShape &, const uint8_t *bits, void *packed);
    void (*conv)(const Conv &, int first, int last);
    int64_t (*stem_bytes)(int channels);
    void (*stem_pack)(int channels, const int16_t *weight, void *packed);
    void (*stem)(const Stem &, int first, int last);
    void (*sign)(const Sign &, int first, int last);
    void (*pool)(const Pool &, int first, int last);
    void (*up_add)(const UpAdd &, int first, int last);
    int64_t (*head_bytes)(int in_channels, int channels);
    void (*head_pack)(int in_channels, int channels, const float *weight, void *packed);
    void (*head)(const Head &, int first, int last);
};

extern const Kernels scalar_kernels;
#if defined(HOURBIT_X86)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif
#if defined(HOURBIT_NEON)
extern const Kernels neon_kernels;
#endif

// dispatch.cpp: null where the name is unknown or this machine lacks it.
const Kernels *find_kernels(const char *isa);

}  // namespace hourbit
