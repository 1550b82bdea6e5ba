// The peak of this machine's float32 arithmetic: 12 independent chains of fused multiply-add, or of additions of products, at 128,
// 256 and 512 bit, on so many threads at once. Prints one line of JSON with GF/s (best of several tries).
//
//   gcc -O2 -ffp-contract=off -pthread bench/peers/peak.c -o peak && ./peak 2
#include <immintrin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

enum { CHAINS = 12, ROUNDS = 400000 };
static volatile float sink;

// Chains are variables, not an array, so that they stay in registers; the empty asm keeps them, and products, from being computed
// ahead. A product does not wait for a sum, as in a matrix product: chains of both would wait for each other.
#define LOOP(NAME, TARGET, V, SET, STEP, FIRST)                    \
  __attribute__((target(TARGET))) static void NAME(void) {         \
    V a = SET(0.999f), b = SET(0.001f);                            \
    ALL_DECLARE(V, SET)                                            \
    for (int r = 0; r < ROUNDS; r++) {                             \
      ALL_STEP(STEP)                                               \
    }                                                              \
    sink = ALL_SUM(FIRST);                                         \
  }
#define D(V, SET, i) V c##i = SET(i);
#define ALL_DECLARE(V, SET)                                                                                  \
  D(V, SET, 0) D(V, SET, 1) D(V, SET, 2) D(V, SET, 3) D(V, SET, 4) D(V, SET, 5) D(V, SET, 6) D(V, SET, 7)    \
  D(V, SET, 8) D(V, SET, 9) D(V, SET, 10) D(V, SET, 11)
#define S(STEP, c) __asm__ volatile("" : "+v"(a)); c = STEP(c, a, b); __asm__ volatile("" : "+v"(c));
#define ALL_STEP(STEP)                                                                                       \
  S(STEP, c0) S(STEP, c1) S(STEP, c2) S(STEP, c3) S(STEP, c4) S(STEP, c5) S(STEP, c6) S(STEP, c7)            \
  S(STEP, c8) S(STEP, c9) S(STEP, c10) S(STEP, c11)
#define ALL_SUM(F) F(c0) + F(c1) + F(c2) + F(c3) + F(c4) + F(c5) + F(c6) + F(c7) + F(c8) + F(c9) + F(c10) + F(c11)
#define FMA128(c, a, b) _mm_fmadd_ps(a, b, c)
#define TWO128(c, a, b) _mm_add_ps(c, _mm_mul_ps(a, b))
#define FMA256(c, a, b) _mm256_fmadd_ps(a, b, c)
#define TWO256(c, a, b) _mm256_add_ps(c, _mm256_mul_ps(a, b))
#define FMA512(c, a, b) _mm512_fmadd_ps(a, b, c)
#define TWO512(c, a, b) _mm512_add_ps(c, _mm512_mul_ps(a, b))

LOOP(fma128, "avx2,fma", __m128, _mm_set1_ps, FMA128, _mm_cvtss_f32)
LOOP(fma256, "avx2,fma", __m256, _mm256_set1_ps, FMA256, _mm256_cvtss_f32)
LOOP(fma512, "avx512f", __m512, _mm512_set1_ps, FMA512, _mm512_cvtss_f32)
LOOP(two128, "avx2,fma", __m128, _mm_set1_ps, TWO128, _mm_cvtss_f32)
LOOP(two256, "avx2,fma", __m256, _mm256_set1_ps, TWO256, _mm256_cvtss_f32)
LOOP(two512, "avx512f", __m512, _mm512_set1_ps, TWO512, _mm512_cvtss_f32)

enum { MOST = 64, TRIES = 100 };
static int team;
static void (*work)(void);
static double begins[MOST][TRIES], ends[MOST][TRIES];

static atomic_int arrived;

// Waits for all threads without sleeping: one that sleeps is woken late.
static void arrive(int attempt) {
  atomic_fetch_add(&arrived, 1);
  while (atomic_load(&arrived) < (attempt + 1) * team) _mm_pause();
}

// Every thread takes its own times.
static void *thread(void *number) {
  size_t t = (size_t)number;
  for (int i = 0; i < TRIES; i++) {
    arrive(i);
    begins[t][i] = now();
    work();
    ends[t][i] = now();
  }
  return NULL;
}

// GF/s of all threads together.
static double measure(void (*loop)(void), int lanes, int threads) {
  pthread_t ids[MOST];
  work = loop;
  team = threads;
  atomic_store(&arrived, 0);
  for (size_t t = 0; t < (size_t)threads; t++) pthread_create(&ids[t], NULL, thread, (void *)t);
  for (int t = 0; t < threads; t++) pthread_join(ids[t], NULL);
  double best = 0;
  for (int i = 0; i < TRIES; i++) {
    double begin = begins[0][i], end = ends[0][i];
    for (int t = 1; t < threads; t++) {
      if (begins[t][i] < begin) begin = begins[t][i];
      if (ends[t][i] > end) end = ends[t][i];
    }
    double rate = 2.0 * CHAINS * lanes * ROUNDS * threads / (end - begin) / 1e9;
    if (rate > best) best = rate;
  }
  return best;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 1;
  if (threads < 1 || threads > MOST) return 2;
  int wide = __builtin_cpu_supports("avx512f");
  printf("{\"threads\":%d,\"fma\":{\"128\":%.1f,\"256\":%.1f", threads, measure(fma128, 4, threads), measure(fma256, 8, threads));
  if (wide) printf(",\"512\":%.1f", measure(fma512, 16, threads));
  printf("},\"mulAdd\":{\"128\":%.1f,\"256\":%.1f", measure(two128, 4, threads), measure(two256, 8, threads));
  if (wide) printf(",\"512\":%.1f", measure(two512, 16, threads));
  printf("}}\n");
  return 0;
}
