// Which instruction sets this machine can run, by cpuid and by what the operating system saves (xgetbv).
#include <string.h>

#include "hourbit.h"
#include "kernels.h"

#if defined(HOURBIT_X86)
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace hourbit {
namespace {

struct Support {
    bool scalar, avx2, avx512;
};

#if defined(HOURBIT_X86)

bool cpuid(unsigned leaf, unsigned (&r)[4]) {
#if defined(_MSC_VER)
    int out[4];
    __cpuid(out, 0);
    if (static_cast<unsigned>(out[0]) < leaf) return false;
    __cpuidex(out, static_cast<int>(leaf), 0);
    for (int i = 0; i < 4; ++i) r[i] = static_cast<unsigned>(out[i]);
    return true;
#else
    return __get_cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3]) != 0;
#endif
}

uint64_t saved_state() {
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return static_cast<uint64_t>(high) << 32 | low;
#endif
}

bool all(unsigned value, const int *bits, int count) {
    for (int i = 0; i < count; ++i)
        if (!(value >> bits[i] & 1)) return false;
    return true;
}

Support detect() {
    Support found = {false, false, false};
    unsigned one[4], seven[4];
    if (!cpuid(1, one)) return found;
    found.scalar = one[2] >> 23 & 1;  // popcnt
    const bool xsave = one[2] >> 27 & 1, avx = one[2] >> 28 & 1, fma = one[2] >> 12 & 1;
    if (!found.scalar || !xsave || !avx || !fma || !cpuid(7, seven)) return found;
    const uint64_t state = saved_state();
    const int avx2_bits[] = {5, 8};                 // ebx: avx2, bmi2
    const int avx512_bits[] = {16, 17, 30, 31};     // ebx: f, dq, bw, vl
    const int counting_bits[] = {11, 14};           // ecx: vnni, vpopcntdq
    found.avx2 = (state & 0x6) == 0x6 && all(seven[1], avx2_bits, 2);
    found.avx512 = found.avx2 && (state & 0xE6) == 0xE6;
    found.avx512 = found.avx512 && all(seven[1], avx512_bits, 4) && all(seven[2], counting_bits, 2);
    return found;
}

#else

Support detect() { return {true, false, false}; }

#endif

}  // namespace

const Kernels *find_kernels(const char *isa) {
    const Support found = detect();
    if (found.scalar && !strcmp(isa, "scalar")) return &scalar_kernels;
#if defined(HOURBIT_X86)
    if (found.avx2 && !strcmp(isa, "avx2")) return &avx2_kernels;
    if (found.avx512 && !strcmp(isa, "avx512")) return &avx512_kernels;
#endif
    return nullptr;
}

}  // namespace hourbit

extern "C" const char *hb_isas(void) {
    const hourbit::Support found = hourbit::detect();
    if (found.avx512) return "avx512,avx2,scalar";
    if (found.avx2) return "avx2,scalar";
    return found.scalar ? "scalar" : "";
}

extern "C" int32_t hb_abi(void) { return HB_ABI; }
