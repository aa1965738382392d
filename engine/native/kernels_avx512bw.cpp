// AVX-512 without VPOPCNTDQ: table look-up as with AVX2, 64 output channels in a register.
#include "lanes_avx512.h"

namespace hourbit {
namespace {

struct Bytes {
    typedef __m512i B;
    static constexpr int WIDTH = 64;

    static B zero() { return _mm512_setzero_si512(); }
    static B load(const uint8_t *p) { return _mm512_load_si512(p); }
    static void store(uint8_t *p, B x) { _mm512_store_si512(p, x); }
    static B table(const uint8_t *p) {
        return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i *>(p)));
    }
    static B look_up(B table, B index) { return _mm512_shuffle_epi8(table, index); }
    static B add(B a, B b) { return _mm512_add_epi8(a, b); }
    static B add16(B a, B b) { return _mm512_add_epi16(a, b); }
    static B even(B x) { return _mm512_and_si512(x, _mm512_set1_epi16(0xFF)); }
    static B odd(B x) { return _mm512_srli_epi16(x, 8); }
    static Lanes::I from(int most, B counts, int upper) {  // most - counts, of the lower or upper half
        const __m256i sixteen = upper ? _mm512_extracti64x4_epi64(counts, 1) : _mm512_castsi512_si256(counts);
        return _mm512_sub_epi32(_mm512_set1_epi32(most), _mm512_cvtepu16_epi32(sixteen));
    }
    static uint64_t spread(uint32_t word) { return _pdep_u64(word, 0xF0F0F0F0F0F0F0F0); }
};

}  // namespace
}  // namespace hourbit

#include "lookup.h"
#include "lanes_more.h"

namespace hourbit {

const Kernels avx512bw_kernels = {"avx512bw", conv_bytes, conv_pack, nullptr, conv, stem_bytes, stem_pack, stem,
                                  sign, pool, up_add, head_bytes, head_pack, head, mean, mix, peak};

}  // namespace hourbit
