// AVX2: table look-up instead of population count (there is none for vectors), 32 output channels in a register.
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

namespace hourbit {
namespace {

struct Lanes {
    typedef __m256 F;
    typedef __m256i I;
    typedef uint8_t Mask;
    static constexpr int N = 8;

    static F load(const float *p) { return _mm256_loadu_ps(p); }
    static I load(const int32_t *p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)); }
    static F load_some(const float *p, int) { return load(p); }
    static void store(float *p, F x) { _mm256_storeu_ps(p, x); }
    static void store_some(float *p, F x, int) { store(p, x); }
    static F set(float x) { return _mm256_set1_ps(x); }
    static I set(int x) { return _mm256_set1_epi32(x); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F larger(F a, F b) { return _mm256_max_ps(a, b); }
    static Mask above(F a, F b) {
        return static_cast<Mask>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
    }
    static I add(I a, I b) { return _mm256_add_epi32(a, b); }
    static F to_float(I x) { return _mm256_cvtepi32_ps(x); }
    static Mask at_least(I a, I b) {
        return static_cast<Mask>(~_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a))));
    }
    static I load_pairs(const int16_t *p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)); }
    static I set_pair(const int16_t *p) {
        int32_t pair;
        memcpy(&pair, p, 4);
        return _mm256_set1_epi32(pair);
    }
    static I add_products(I sum, I a, I b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
    static void transpose(F (&r)[N]) {
        F t[N];
        for (int i = 0; i < N; i += 2) {
            t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
            t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
        }
        for (int i = 0; i < N; i += 4)
            for (int k = 0; k < 2; ++k) {
                r[i + 2 * k] = _mm256_shuffle_ps(t[i + k], t[i + 2 + k], 0x44);
                r[i + 2 * k + 1] = _mm256_shuffle_ps(t[i + k], t[i + 2 + k], 0xEE);
            }
        for (int i = 0; i < 4; ++i) {
            t[i] = _mm256_permute2f128_ps(r[i], r[4 + i], 0x20);
            t[4 + i] = _mm256_permute2f128_ps(r[i], r[4 + i], 0x31);
        }
        for (int i = 0; i < N; ++i) r[i] = t[i];
    }
};

struct Bytes {
    typedef __m256i B;
    static constexpr int WIDTH = 32;

    static B zero() { return _mm256_setzero_si256(); }
    static B load(const uint8_t *p) { return _mm256_load_si256(reinterpret_cast<const __m256i *>(p)); }
    static void store(uint8_t *p, B x) { _mm256_store_si256(reinterpret_cast<__m256i *>(p), x); }
    static B table(const uint8_t *p) {
        return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i *>(p)));
    }
    static B look_up(B table, B index) { return _mm256_shuffle_epi8(table, index); }
    static B add(B a, B b) { return _mm256_add_epi8(a, b); }
    static B add16(B a, B b) { return _mm256_add_epi16(a, b); }
    static B even(B x) { return _mm256_and_si256(x, _mm256_set1_epi16(0xFF)); }
    static B odd(B x) { return _mm256_srli_epi16(x, 8); }
    static Lanes::I from(int most, B counts, int upper) {  // most - counts, of the lower or upper half
        const __m128i eight = upper ? _mm256_extracti128_si256(counts, 1) : _mm256_castsi256_si128(counts);
        return _mm256_sub_epi32(_mm256_set1_epi32(most), _mm256_cvtepu16_epi32(eight));
    }
    static uint64_t spread(uint32_t word) { return _pdep_u64(word, 0xF0F0F0F0F0F0F0F0); }
};

}  // namespace
}  // namespace hourbit

#include "lookup.h"
#include "lanes_more.h"

namespace hourbit {

const Kernels avx2_kernels = {"avx2", conv_bytes, conv_pack, nullptr, conv, stem_bytes, stem_pack, stem,
                              sign, pool, up_add, head_bytes, head_pack, head, mean, mix, peak};

}  // namespace hourbit
