// Sixteen floats in a register, for both files of AVX-512.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels.h"

namespace hourbit {
namespace {

struct Lanes {
    typedef __m512 F;
    typedef __m512i I;
    typedef __mmask16 Mask;
    static constexpr int N = 16;

    static F load(const float *p) { return _mm512_loadu_ps(p); }
    static I load(const int32_t *p) { return _mm512_loadu_si512(p); }
    static __mmask16 first(int n) { return static_cast<__mmask16>(n >= N ? 0xFFFF : (1 << n) - 1); }
    static F load_some(const float *p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
    static void store(float *p, F x) { _mm512_storeu_ps(p, x); }
    static void store_some(float *p, F x, int n) { _mm512_mask_storeu_ps(p, first(n), x); }
    static F set(float x) { return _mm512_set1_ps(x); }
    static I set(int x) { return _mm512_set1_epi32(x); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F larger(F a, F b) { return _mm512_max_ps(a, b); }
    static Mask above(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
    static I add(I a, I b) { return _mm512_add_epi32(a, b); }
    static F to_float(I x) { return _mm512_cvtepi32_ps(x); }
    static Mask at_least(I a, I b) { return _mm512_cmpge_epi32_mask(a, b); }
    static I load_pairs(const int16_t *p) { return _mm512_loadu_si512(p); }
    static I set_pair(const int16_t *p) {
        int32_t pair;
        memcpy(&pair, p, 4);
        return _mm512_set1_epi32(pair);
    }
#if defined(__AVX512VNNI__)
    static I add_products(I sum, I a, I b) { return _mm512_dpwssd_epi32(sum, a, b); }
#else
    static I add_products(I sum, I a, I b) { return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b)); }
#endif
    static void transpose(F (&r)[N]) {
        F t[N];
        for (int i = 0; i < N; i += 2) {
            t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
            t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
        }
        for (int i = 0; i < N; i += 4)
            for (int k = 0; k < 2; ++k) {
                r[i + 2 * k] = _mm512_shuffle_ps(t[i + k], t[i + 2 + k], 0x44);
                r[i + 2 * k + 1] = _mm512_shuffle_ps(t[i + k], t[i + 2 + k], 0xEE);
            }
        for (int i = 0; i < 4; ++i) {  // r[4 j + i] holds column i of every quarter, of the rows from 4 j on
            t[i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0x88);
            t[4 + i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0xDD);
            t[8 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0x88);
            t[12 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0xDD);
        }
        for (int i = 0; i < 4; ++i) {
            r[i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0x88);
            r[8 + i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0xDD);
            r[4 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0x88);
            r[12 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0xDD);
        }
    }
};

}  // namespace
}  // namespace hourbit
