// What net.cpp and the kernels of every instruction set agree on: arguments and one table of functions.
//
// Plain data only. The kernel files are compiled for different processors, so nothing inline may be shared
// between them through the linker: helpers live in unnamed namespaces.
#pragma once

#include <stdint.h>

#if defined(_MSC_VER)
#define HOURBIT_INLINE __forceinline
#define HOURBIT_FETCH(address) static_cast<void>(address)
#else
#define HOURBIT_INLINE inline __attribute__((always_inline))
#define HOURBIT_FETCH(address) __builtin_prefetch(address)
#endif

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

constexpr int SIGNS = 2;  // most maps of signs that one step writes

// Signs after batch-norm: bit = (value > threshold) xor flip. `bits` begins at the ring and the slice's first channel.
struct Sign {
    uint8_t *bits;
    int pixel;               // bytes
    bool pooled;             // of the maximum of 2 x 2, at half the side
    const float *threshold;  // padded
    const uint8_t *flip;     // one bit a channel, padded with 0
};

// One binary convolution over a whole map, with what is done to its sums. Counts are kept as
// half = products / 2 - differing bits, so a sum of +-1 is 2 * half. `source`, `skip` and `bits` begin at the
// ring; the float maps, all `stride` channels wide, at the slice's first channel.
struct Conv {
    ConvShape shape;
    int side;
    const uint32_t *source;
    const void *weight;
    const float *alpha;         // twice the scale, padded
    bool relu;
    const int32_t *correction;  // [16 border classes][padded channels], null with padding -1
    const uint32_t *skip;       // or null: a 1 x 1 convolution that is added
    ConvShape skip_shape;
    const void *skip_weight;
    const float *skip_alpha;    // twice the scale, padded
    int stride;
    const float *other;         // added, or null; may be target
    const float *up;            // added with nearest x 2, or null
    float *target;              // or null
    float *pooled;              // maximum of 2 x 2, or null
    uint32_t *bits;             // or null: signs of the convolution alone
    const int32_t *threshold;   // bit = (half >= threshold) xor flip; padded with INT32_MAX
    const uint8_t *flip;        // one bit a channel, padded with 0
    bool pairs;                 // rows must be done two at a time
    bool again;                 // the lent memory is as the last call for this convolution left it
    int sign_count;
    Sign signs[SIGNS];
};

// image: int16 pixels with a ring of STEM_RING zero pixels, rows of (2 * side + 6) * 3 values.
struct Stem {
    int side, channels;
    const int16_t *image;
    const void *weight;
    const float *scale, *bias, *norm_scale, *norm_shift;
    float *target;  // or null
    int sign_count;
    Sign signs[SIGNS];
};

struct SignMap {
    int side, channels;
    const float *source;
    Sign sign;
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
    float *scratch;     // HEAD_PIXELS * in_channels floats, of the calling thread alone
    float *logits;
};

constexpr int HEAD_PIXELS = 16;  // done at a time

constexpr int MIX_CHANNELS = 1024;  // at most

struct Mix {
    int side, in_channels, taken, channels;  // the first `taken` of in_channels count
    const float *source;
    const float *weight;  // [taken][channels]
    const float *bias;
    const float *norm_scale, *norm_shift;  // or null
    const float *other;                    // added, or null; may be target
    float *target;
};

// What runs takes the rows of its output from `first` to `last` - 1.
struct Kernels {
    const char *name;
    int64_t (*conv_bytes)(const ConvShape &);
    void (*conv_pack)(const ConvShape &, const uint8_t *bits, void *packed);
    int64_t (*conv_lent)(const Conv &);  // bytes that a thread lends to it, a multiple of 64; null for none
    void (*conv)(const Conv &, int first, int last, void *lent);
    int64_t (*stem_bytes)(int channels);
    void (*stem_pack)(int channels, const int16_t *weight, void *packed);
    void (*stem)(const Stem &, int first, int last);
    void (*sign)(const SignMap &, int first, int last);
    void (*pool)(const Pool &, int first, int last);
    void (*up_add)(const UpAdd &, int first, int last);
    int64_t (*head_bytes)(int in_channels, int channels);
    void (*head_pack)(int in_channels, int channels, const float *weight, void *packed);
    void (*head)(const Head &, int first, int last);
    void (*mean)(const Pool &, int first, int last);
    void (*mix)(const Mix &, int first, int last);
    int64_t (*peak)(int64_t rounds);  // a convolution's instructions on registers alone; how many products that were
};

extern const Kernels scalar_kernels;
#if defined(HOURBIT_X86)
extern const Kernels avx2_kernels;
extern const Kernels avx512bw_kernels;
extern const Kernels avx512_kernels;
#if defined(HOURBIT_AMX)
extern const Kernels amx_kernels;
#endif
#endif
#if defined(HOURBIT_NEON)
extern const Kernels neon_kernels;
#endif

// dispatch.cpp: null where the name is unknown or this machine lacks it.
const Kernels *find_kernels(const char *isa);

}  // namespace hourbit
