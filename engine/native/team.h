// Threads that share the rows of every step. None ever spins: who must wait sleeps until another moves on.
#pragma once

#include <stdint.h>

namespace hourbit {

constexpr int MAX_THREADS = 16;

struct Team;

// `count` threads, the caller of team_run being the first. Null on failure.
Team *team_create(int count);
void team_destroy(Team *team);

// Calls work(context, thread) once on each thread and returns when all are done.
void team_run(Team *team, void (*work)(void *context, int thread), void *context);

// For `work`: how far this thread is, never less than before; and sleep until another is as far.
void team_reach(Team *team, int thread, int64_t progress);
void team_wait(Team *team, int thread, int64_t progress);

}  // namespace hourbit
