#include "team.h"

#include <stdlib.h>

#include <atomic>
#include <new>

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#endif

namespace hourbit {
namespace {

#if defined(_WIN32)
struct Lock {
    SRWLOCK lock = SRWLOCK_INIT;
    void take() { AcquireSRWLockExclusive(&lock); }
    void give() { ReleaseSRWLockExclusive(&lock); }
};
struct Signal {
    CONDITION_VARIABLE signal = CONDITION_VARIABLE_INIT;
    void wait(Lock &l) { SleepConditionVariableSRW(&signal, &l.lock, INFINITE, 0); }
    void wake_all() { WakeAllConditionVariable(&signal); }
};
typedef HANDLE Thread;
#else
struct Lock {
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    void take() { pthread_mutex_lock(&lock); }
    void give() { pthread_mutex_unlock(&lock); }
};
struct Signal {
    pthread_cond_t signal = PTHREAD_COND_INITIALIZER;
    void wait(Lock &l) { pthread_cond_wait(&signal, &l.lock); }
    void wake_all() { pthread_cond_broadcast(&signal); }
};
typedef pthread_t Thread;
#endif

struct alignas(64) Progress {
    std::atomic<int64_t> value{0};
};

}  // namespace

struct Team {
    struct Member {
        Team *team;
        int thread;
        Thread handle;
    };
    int count = 1, started = 1;
    Member members[MAX_THREADS];
    Progress progress[MAX_THREADS];
    std::atomic<int> sleepers{0};
    Lock lock;
    Signal job, moved;
    int64_t jobs = 0;
    bool over = false;
    void (*work)(void *, int) = nullptr;
    void *context = nullptr;
};

namespace {

constexpr int64_t DONE = INT64_MAX;

void serve(Team *team, int thread) {
    for (int64_t seen = 0;;) {
        team->lock.take();
        while (team->jobs == seen && !team->over) team->job.wait(team->lock);
        const bool over = team->over;
        seen = team->jobs;
        team->lock.give();
        if (over) return;
        team->work(team->context, thread);
        team_reach(team, thread, DONE);
    }
}

#if defined(_WIN32)
DWORD WINAPI enter(void *member) {
    serve(static_cast<Team::Member *>(member)->team, static_cast<Team::Member *>(member)->thread);
    return 0;
}
bool start(Team::Member *m) { return (m->handle = CreateThread(nullptr, 0, enter, m, 0, nullptr)) != nullptr; }
void join(Team::Member *m) {
    WaitForSingleObject(m->handle, INFINITE);
    CloseHandle(m->handle);
}
#else
void *enter(void *member) {
    serve(static_cast<Team::Member *>(member)->team, static_cast<Team::Member *>(member)->thread);
    return nullptr;
}
bool start(Team::Member *m) { return !pthread_create(&m->handle, nullptr, enter, m); }
void join(Team::Member *m) { pthread_join(m->handle, nullptr); }
#endif

}  // namespace

Team *team_create(int count) {
    void *memory = nullptr;
    if (count < 1 || count > MAX_THREADS || !(memory = malloc(sizeof(Team) + alignof(Team)))) return nullptr;
    // The block's own address is kept before the aligned one.
    const uintptr_t at = (reinterpret_cast<uintptr_t>(memory) + alignof(Team)) / alignof(Team) * alignof(Team);
    reinterpret_cast<void **>(at)[-1] = memory;
    Team *team = new (reinterpret_cast<void *>(at)) Team;
    team->count = count;
    for (int t = 1; t < count; ++t, ++team->started) {
        team->members[t].team = team;
        team->members[t].thread = t;
        if (start(&team->members[t])) continue;
        team_destroy(team);
        return nullptr;
    }
    return team;
}

void team_destroy(Team *team) {
    if (!team) return;
    team->lock.take();
    team->over = true;
    team->job.wake_all();
    team->lock.give();
    for (int t = 1; t < team->started; ++t) join(&team->members[t]);
    void *memory = reinterpret_cast<void **>(team)[-1];
    team->~Team();
    free(memory);
}

void team_run(Team *team, void (*work)(void *, int), void *context) {
    team->lock.take();
    for (int t = 0; t < team->count; ++t) team->progress[t].value = 0;
    team->work = work;
    team->context = context;
    ++team->jobs;
    team->job.wake_all();
    team->lock.give();
    work(context, 0);
    team_reach(team, 0, DONE);
    for (int t = 1; t < team->count; ++t) team_wait(team, t, DONE);
}

void team_reach(Team *team, int thread, int64_t progress) {
    team->progress[thread].value = progress;
    if (!team->sleepers) return;
    team->lock.take();
    team->moved.wake_all();
    team->lock.give();
}

void team_wait(Team *team, int thread, int64_t progress) {
    const std::atomic<int64_t> &value = team->progress[thread].value;
    if (value >= progress) return;
    team->lock.take();
    ++team->sleepers;
    while (value < progress) team->moved.wait(team->lock);
    --team->sleepers;
    team->lock.give();
}

}  // namespace hourbit
