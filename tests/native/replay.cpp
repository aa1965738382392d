// Runs cases that tests/native/cases.py wrote through the C interface, without Python: under an emulator of
// another processor, and in builds that report bad memory accesses, undefined behaviour and races.
//
// replay FILE equal ISA THREADS      every case on that many threads at once, each net on one to three more; the logits
//                                    must be the file's, bit for bit
// replay FILE hostile COUNT SEED     that many calls with spoilt sizes; each must fail in words or run
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thread>
#include <vector>

#include "hourbit.h"

namespace {

struct Case {
    std::vector<HbStep> steps;
    std::vector<HbBuffer> buffers;
    std::vector<std::vector<unsigned char>> arrays;
    std::vector<unsigned char> image;
    std::vector<float> logits;
    int32_t side;
};

[[noreturn]] void stop(const char *what, const char *detail) {
    fprintf(stderr, "%s %s\n", what, detail);
    exit(2);
}

template <class T>
std::vector<T> take(FILE *file, int64_t count) {
    std::vector<T> values(static_cast<size_t>(count));
    const size_t size = static_cast<size_t>(count);
    if (count && fread(values.data(), sizeof(T), size, file) != size) stop("the file ends early", "");
    return values;
}

std::vector<Case> read_cases(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) stop("cannot open", path);
    std::vector<Case> cases(static_cast<size_t>(take<int32_t>(file, 1)[0]));
    for (Case &c : cases) {
        const std::vector<int32_t> sizes = take<int32_t>(file, 4);
        c.side = sizes[2];
        c.steps = take<HbStep>(file, sizes[0]);
        c.buffers = take<HbBuffer>(file, sizes[1]);
        for (HbStep &step : c.steps)
            for (HbArray &array : step.arrays) {
                c.arrays.push_back(take<unsigned char>(file, array.bytes));
                array.data = array.bytes ? c.arrays.back().data() : nullptr;
            }
        c.image = take<unsigned char>(file, static_cast<int64_t>(c.side) * c.side * 3);
        c.logits = take<float>(file, sizes[3]);
    }
    fclose(file);
    return cases;
}

HbNet *create(const Case &c, const char *isa, int32_t threads) {
    return hb_create(c.steps.data(), static_cast<int32_t>(c.steps.size()), c.buffers.data(),
                     static_cast<int32_t>(c.buffers.size()), c.side, isa, threads);
}

int64_t run(const Case &c, const char *isa, int32_t threads) {
    HbNet *net = create(c, isa, threads);
    if (!net) stop("refused:", hb_last_error());
    std::vector<float> logits(c.logits.size());
    int64_t differing = 0;
    for (int round = 0; round < 2; ++round) {  // the second run finds the first one's maps in its buffers
        if (hb_run(net, c.image.data(), static_cast<int64_t>(c.image.size()), logits.data(),
                   static_cast<int64_t>(logits.size())))
            stop("failed:", hb_last_error());
        for (size_t i = 0; i < logits.size(); ++i) differing += memcmp(&logits[i], &c.logits[i], 4) != 0;
    }
    hb_destroy(net);
    return differing;
}

int equal(const std::vector<Case> &cases, const char *isa, int count) {
    std::vector<int64_t> differing(static_cast<size_t>(count));
    std::vector<std::thread> threads;
    for (int t = 0; t < count; ++t)
        threads.emplace_back([&, t] {
            for (const Case &c : cases)
                for (int32_t shared : {1, 2, 3}) differing[static_cast<size_t>(t)] += run(c, isa, shared);
        });
    for (std::thread &thread : threads) thread.join();
    int64_t sum = 0;
    for (int64_t one : differing) sum += one;
    printf("%s of %s: %zu cases, %d threads, %lld differing\n", isa, hb_isas(), cases.size(), count,
           static_cast<long long>(sum));
    return sum != 0;
}

uint64_t state;

uint32_t draw(uint32_t below) {  // splitmix64
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return static_cast<uint32_t>((z ^ z >> 31) >> 32) % below;
}

constexpr int64_t ODD[] = {0, -1, 1, 2, 3, 4, 7, 8, 16, 24, 32, 33, 48, 64, 96, 128, 256, 511, 512, 513, 1024, 1025, 4096,
                           1 << 20, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 40, -8, -64};

int64_t odd() { return ODD[draw(sizeof ODD / sizeof *ODD)]; }

// Spoils one field. An array's size is never made to promise more than there is: that no callee can find out.
void spoil(Case &c) {
    const uint32_t kind = draw(10);
    if (kind == 0) {
        c.side = static_cast<int32_t>(odd());
    } else if (kind <= 2) {
        HbBuffer &buffer = c.buffers[draw(static_cast<uint32_t>(c.buffers.size()))];
        int32_t *fields[] = {&buffer.bits, &buffer.side, &buffer.channels};
        const uint32_t field = draw(4);
        if (field == 3)
            buffer.floats = odd();
        else
            *fields[field] = static_cast<int32_t>(odd());
    } else {
        HbStep &step = c.steps[draw(static_cast<uint32_t>(c.steps.size()))];
        if (kind == 3) {
            HbArray &array = step.arrays[draw(HB_ARRAYS)];
            if (draw(2))
                array.data = nullptr;
            else
                array.bytes = array.bytes && draw(2) ? draw(static_cast<uint32_t>(array.bytes)) : 1LL << 40;
        } else {
            char *field = reinterpret_cast<char *>(&step) + 4 * draw(offsetof(HbStep, arrays) / 4);
            int32_t value;
            memcpy(&value, field, 4);
            value = draw(2) ? static_cast<int32_t>(odd()) : value + static_cast<int32_t>(draw(5)) - 2;
            memcpy(field, &value, 4);
        }
    }
}

double work(const Case &c) {
    double sum = 0;
    for (const HbStep &s : c.steps) {
        const double area = static_cast<double>(s.side) * s.side;
        sum += area * s.channels * (s.in_channels + 8.0) * s.kernel * s.kernel;
    }
    return sum;
}

int hostile(const std::vector<Case> &cases, int count) {
    int refused = 0, served = 0;
    for (int i = 0; i < count; ++i) {
        Case c = cases[draw(static_cast<uint32_t>(cases.size()))];
        const int spoilt = 1 + static_cast<int>(draw(3));
        for (int k = 0; k < spoilt; ++k) spoil(c);
        static const char *const ISAS[] = {"amx", "avx512", "avx512bw", "avx2", "neon", "scalar", "scalar"};
        HbNet *net = create(c, ISAS[draw(7)], draw(40) ? 1 + static_cast<int32_t>(draw(3)) : static_cast<int32_t>(odd()));
        if (!net) {
            if (!*hb_last_error()) stop("refused without a reason", "");
            ++refused;
            continue;
        }
        ++served;
        std::vector<unsigned char> image(static_cast<size_t>(c.side) * static_cast<size_t>(c.side) * 3, 77);
        std::vector<float> logits(c.logits.size());
        const int64_t pixels = static_cast<int64_t>(image.size()), values = static_cast<int64_t>(logits.size());
        if (work(c) < 2e8) hb_run(net, image.data(), pixels, logits.data(), values);
        const bool took = !hb_run(net, image.data(), pixels + 1, logits.data(), values) ||
                          !hb_run(net, image.data(), pixels, logits.data(), -values) ||
                          !hb_run(net, nullptr, pixels, logits.data(), values) ||
                          !hb_read(net, static_cast<int32_t>(odd() | INT32_MIN), logits.data(), 1) ||
                          !hb_read(net, 0, logits.data(), -1) || !hb_read(net, 0, nullptr, 1) ||
                          !hb_run_part(net, image.data(), pixels, 1, 0);
        if (took) stop("took a call that it must refuse", "");
        hb_destroy(net);
    }
    const Case &whole = cases[0];
    const int32_t steps = static_cast<int32_t>(whole.steps.size()), buffers = static_cast<int32_t>(whole.buffers.size());
    const bool took = hb_create(nullptr, steps, whole.buffers.data(), buffers, whole.side, "scalar", 1) ||
                      hb_create(whole.steps.data(), -1, whole.buffers.data(), buffers, whole.side, "scalar", 1) ||
                      hb_create(whole.steps.data(), steps, nullptr, buffers, whole.side, "scalar", 1) ||
                      hb_create(whole.steps.data(), steps, whole.buffers.data(), INT32_MIN, whole.side, "scalar", 1) ||
                      hb_create(whole.steps.data(), steps, whole.buffers.data(), buffers, whole.side, nullptr, 1) ||
                      !hb_run(nullptr, nullptr, 0, nullptr, 0) || hb_memory(nullptr);
    hb_destroy(nullptr);
    if (took) stop("took a null", "");
    printf("%d refused, %d served\n", refused, served);
    return 0;
}

}  // namespace

int main(int count, char **words) {
    if (count != 5) stop("usage: replay FILE equal ISA THREADS | FILE hostile COUNT SEED", "");
    const std::vector<Case> cases = read_cases(words[1]);
    if (!strcmp(words[2], "equal")) return equal(cases, words[3], atoi(words[4]));
    state = strtoull(words[4], nullptr, 10);
    return hostile(cases, atoi(words[3]));
}
