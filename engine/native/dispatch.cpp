// Which instruction sets this machine can run, by cpuid and by what the operating system saves (xgetbv).
//
// HOURBIT_CPU_MASK names features that the processor shall be taken to lack, as Linux spells them and joined by
// commas ("avx2,avx512f"): so a machine that has them all can show what one without them does. It only hides.
#include <stdlib.h>
#include <string.h>

#include "hourbit.h"
#include "kernels.h"

#if defined(HOURBIT_X86)
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#if defined(HOURBIT_AMX)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace hourbit {
namespace {

// Whether a list joined by commas holds a name.
bool listed(const char *list, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        if (*at == ',') ++at;
        if (!strncmp(at, name, length) && (at[length] == ',' || !at[length])) return true;
    }
    return false;
}

bool hidden(const char *feature) {
    const char *mask = getenv("HOURBIT_CPU_MASK");
    return mask && listed(mask, feature);
}

#if defined(HOURBIT_X86)

enum Word { ONE_ECX, SEVEN_EBX, SEVEN_ECX, SEVEN_EDX, WORDS };

struct Feature {
    const char *name;
    Word word;
    int bit;
};

constexpr Feature POPCNT[] = {{"popcnt", ONE_ECX, 23}};
constexpr Feature AVX2[] = {{"osxsave", ONE_ECX, 27}, {"avx", ONE_ECX, 28},   {"fma", ONE_ECX, 12},
                            {"avx2", SEVEN_EBX, 5},   {"bmi2", SEVEN_EBX, 8}};
constexpr Feature AVX512BW[] = {{"avx512f", SEVEN_EBX, 16},  {"avx512dq", SEVEN_EBX, 17},
                                {"avx512bw", SEVEN_EBX, 30}, {"avx512vl", SEVEN_EBX, 31}};
constexpr Feature AVX512[] = {{"avx512_vnni", SEVEN_ECX, 11}, {"avx512_vpopcntdq", SEVEN_ECX, 14}};
constexpr Feature AMX[] = {{"amx_tile", SEVEN_EDX, 24}, {"amx_int8", SEVEN_EDX, 25}};
constexpr uint64_t YMM_STATE = 0x6, ZMM_STATE = 0xE6, TILE_STATE = 0x60000;

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

// Linux hands out the 8 KB of tiles on request, once for all threads of a process.
bool tiles_allowed() {
#if defined(HOURBIT_AMX)
    constexpr long REQUEST = 0x1023, TILE_DATA = 18;
    return syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
#else
    return false;
#endif
}

template <int COUNT>
bool all(const unsigned (&found)[WORDS], const Feature (&features)[COUNT]) {
    for (const Feature &f : features)
        if (!(found[f.word] >> f.bit & 1) || hidden(f.name)) return false;
    return true;
}

const char *detect() {
    unsigned found[WORDS] = {}, leaf[4];
    if (cpuid(1, leaf)) found[ONE_ECX] = leaf[2];
    if (cpuid(7, leaf)) {
        found[SEVEN_EBX] = leaf[1];
        found[SEVEN_ECX] = leaf[2];
        found[SEVEN_EDX] = leaf[3];
    }
    if (!all(found, POPCNT)) return "";
    if (!all(found, AVX2) || (saved_state() & YMM_STATE) != YMM_STATE) return "scalar";
    if (!all(found, AVX512BW) || (saved_state() & ZMM_STATE) != ZMM_STATE) return "avx2,scalar";
    if (!all(found, AVX512)) return "avx512bw,avx2,scalar";
    const bool amx = all(found, AMX) && (saved_state() & TILE_STATE) == TILE_STATE && tiles_allowed();
    return amx ? "amx,avx512,avx512bw,avx2,scalar" : "avx512,avx512bw,avx2,scalar";
}

#elif defined(HOURBIT_NEON)

// Every 64-bit ARM processor has it.
const char *detect() { return hidden("neon") ? "scalar" : "neon,scalar"; }

#else

const char *detect() { return hidden("scalar") ? "" : "scalar"; }

#endif

}  // namespace

const Kernels *find_kernels(const char *isa) {
    if (!listed(detect(), isa)) return nullptr;
#if defined(HOURBIT_X86)
    if (!strcmp(isa, "avx2")) return &avx2_kernels;
    if (!strcmp(isa, "avx512bw")) return &avx512bw_kernels;
    if (!strcmp(isa, "avx512")) return &avx512_kernels;
#if defined(HOURBIT_AMX)
    if (!strcmp(isa, "amx")) return &amx_kernels;
#endif
#elif defined(HOURBIT_NEON)
    if (!strcmp(isa, "neon")) return &neon_kernels;
#endif
    return !strcmp(isa, "scalar") ? &scalar_kernels : nullptr;
}

}  // namespace hourbit

extern "C" const char *hb_isas(void) { return hourbit::detect(); }

extern "C" int32_t hb_abi(void) { return HB_ABI; }
