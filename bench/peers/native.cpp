// The limit: one training step of a dense net in C++, for this machine's vectors, by the same plan as the library's.
//
//   g++ -O3 -march=native -ffast-math -std=c++20 -pthread bench/peers/native.cpp -o native
//   ./native --workload task.json --threads 2 --epochs 3
//
// Phase A: each thread takes a share of the batch's rows through gather, forward pass, loss and slopes. Phase B: each thread takes a
// share of the rows of every weight matrix: slopes and update at once. A barrier after each. Weights lie in panels of NR columns
// [columns / NR][inputs][NR], and once more transposed for the slopes of the inputs. Not general: CE or BCE, SGD, float32.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#ifdef __AVX512F__
constexpr int LANES = 16, MR = 8;
#else
constexpr int LANES = 8, MR = 6;
#endif
constexpr int VECTORS = 2, NR = LANES * VECTORS, KC = 256;
typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4)));
using std::size_t;

static int up(int n, int to) { return (n + to - 1) / to * to; }

static float *floats(size_t n) {
  void *p = std::aligned_alloc(64, (4 * n + 127) / 64 * 64);
  std::memset(p, 0, (4 * n + 127) / 64 * 64);
  return static_cast<float *>(p);
}

// c[R][NR] = (add ? c : 0) + factor * sum over k of a[i * rowStep + k * step] * b[k][NR].
template <int R>
static void tile(int K, const float *a, size_t rowStep, size_t step, const float *b, float *c, size_t ldc, bool add, float factor) {
  Vector sum[R][VECTORS] = {};
  for (int k = 0; k < K; k++, b += NR) {
    Vector row[VECTORS];
#pragma GCC unroll 2
    for (int v = 0; v < VECTORS; v++) row[v] = *reinterpret_cast<const Vector *>(b + v * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < R; i++)
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; v++) sum[i][v] += a[i * rowStep + k * step] * row[v];
  }
  for (int i = 0; i < R; i++)
    for (int v = 0; v < VECTORS; v++) {
      Vector *at = reinterpret_cast<Vector *>(c + i * ldc + v * LANES);
      *at = add ? *at + factor * sum[i][v] : factor * sum[i][v];
    }
}

template <int R>
static void rest(int rows, int K, const float *a, size_t rowStep, size_t step, const float *b, float *c, size_t ldc, bool add, float factor) {
  if (rows == R) return tile<R>(K, a, rowStep, step, b, c, ldc, add, factor);
  if constexpr (R > 1) rest<R - 1>(rows, K, a, rowStep, step, b, c, ldc, add, factor);
}

// Rows [0, M) of C (leading dimension ldc) = A times panels of B [panel][K][NR]; blocks of k keep a piece of B in the cache.
static void product(int M, int panels, int K, const float *a, size_t rowStep, size_t step, const float *b, float *c, size_t ldc) {
  for (int k = 0; k < K; k += KC)
    for (int p = 0; p < panels; p++)
      for (int i = 0; i < M; i += MR) {
        const float *from = a + i * rowStep + k * step;
        const float *panel = b + (static_cast<size_t>(p) * K + k) * NR;
        rest<MR>(std::min(MR, M - i), std::min(KC, K - k), from, rowStep, step, panel, c + i * ldc + p * NR, ldc, k > 0, 1);
      }
}

struct Task {
  std::string text;
  std::string field(const std::string &name) const {
    size_t at = text.find("\"" + name + "\":");
    if (at == std::string::npos) { std::fprintf(stderr, "the task has no %s\n", name.c_str()); std::exit(2); }
    at += name.size() + 3;
    if (text[at] == '"') return text.substr(at + 1, text.find('"', at + 1) - at - 1);
    if (text[at] == '[') return text.substr(at + 1, text.find(']', at) - at - 1);
    return text.substr(at, text.find_first_of(",}", at) - at);
  }
};

template <class T> static std::vector<T> readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<T> values(static_cast<size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char *>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

struct Layer {
  int inputs, units, columns; // columns: units up to a multiple of NR
  size_t ld;                  // of the arrays below that have a row for each row of the batch
  float *w, *transposed, *bias, *h, *d;
};

enum class Act { relu, sigmoid, tanh };

struct Net {
  std::vector<Layer> layers;
  Act act;
  bool binary;
  float rate;
  float *x; // the gathered batch
  size_t ldx;

  Net(const std::vector<int> &sizes, int batch, Act a, bool b, float r) : act(a), binary(b), rate(r) {
    std::mt19937 random(1);
    ldx = up(sizes[0], 16) + 16;
    x = floats(ldx * (batch + MR));
    for (size_t l = 1; l < sizes.size(); l++) {
      const int K = sizes[l - 1], N = sizes[l], columns = up(N, NR);
      const size_t ld = std::max(columns, up(K, NR)) + 16;
      Layer layer{K, N, columns, ld, floats(size_t(K) * columns), floats(size_t(N) * up(K, NR)), floats(columns),
                  floats(ld * (batch + MR)), floats(ld * (batch + MR))};
      const float limit = std::sqrt(6.0f / (K + N));
      std::uniform_real_distribution<float> uniform(-limit, limit);
      for (int k = 0; k < K; k++)
        for (int n = 0; n < N; n++) layer.w[(size_t(n / NR) * K + k) * NR + n % NR] = uniform(random);
      layers.push_back(layer);
      transpose(layers.back(), 0, K);
    }
  }

  // Columns [from, to) of the transposed weights: panels of NR inputs [inputs / NR][units][NR], by squares of 4.
  void transpose(const Layer &L, int from, int to) const {
    for (int n = 0; n < L.units; n += 4)
      for (int k = from; k < to; k += 4) {
        const float *w = L.w + (size_t(n / NR) * L.inputs + k) * NR + n % NR;
        float *t = L.transposed + (size_t(k / NR) * L.units + n) * NR + k % NR;
        if (n + 4 > L.units || k + 4 > to) {
          for (int i = 0; i < std::min(4, L.units - n); i++)
            for (int q = 0; q < std::min(4, to - k); q++) t[i * NR + q] = w[q * NR + i];
          continue;
        }
        typedef float Four __attribute__((vector_size(16), aligned(4)));
        const Four *r = reinterpret_cast<const Four *>(w);
        const Four a = r[0], b = r[NR / 4], c = r[NR / 2], d = r[3 * NR / 4];
        const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        const Four ef = __builtin_shufflevector(a, b, 2, 6, 3, 7), gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        Four *o = reinterpret_cast<Four *>(t);
        o[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
        o[NR / 4] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
        o[NR / 2] = __builtin_shufflevector(ef, gh, 0, 1, 4, 5);
        o[3 * NR / 4] = __builtin_shufflevector(ef, gh, 2, 3, 6, 7);
      }
  }

  void forward(const Layer &L, size_t l, int from, int to) {
    const float *a = l == 0 ? x + from * ldx : layers[l - 1].h + from * layers[l - 1].ld;
    float *h = L.h + from * L.ld;
    product(to - from, L.columns / NR, L.inputs, a, l == 0 ? ldx : layers[l - 1].ld, 1, L.w, h, L.ld);
    const bool last = l + 1 == layers.size();
    for (int i = 0; i < to - from; i++, h += L.ld) {
      if (last) for (int n = 0; n < L.columns; n++) h[n] += L.bias[n];
      else if (act == Act::relu) for (int n = 0; n < L.columns; n++) h[n] = std::max(h[n] + L.bias[n], 0.0f);
      else if (act == Act::tanh) for (int n = 0; n < L.columns; n++) h[n] = 1 - 2 / (1 + std::exp(2 * (h[n] + L.bias[n])));
      else for (int n = 0; n < L.columns; n++) h[n] = 1 / (1 + std::exp(-h[n] - L.bias[n]));
    }
  }

  // Slope of the mean loss by the last layer's sums; loss and hits are added up.
  void slope(int row, int label, int count, double &loss, int &right) {
    Layer &L = layers.back();
    float *z = L.h + row * L.ld, *d = L.d + row * L.ld;
    const float share = 1.0f / count;
    if (binary) {
      loss += std::max(z[0], 0.0f) - z[0] * label + std::log1p(std::exp(-std::fabs(z[0])));
      right += (z[0] > 0) == (label > 0);
      d[0] = (1 / (1 + std::exp(-z[0])) - label) * share;
      return;
    }
    int best = 0;
    for (int n = 1; n < L.units; n++) if (z[n] > z[best]) best = n;
    right += best == label;
    const float top = z[best], own = z[label];
    float total = 0;
    for (int n = 0; n < L.units; n++) total += d[n] = std::exp(z[n] - top);
    for (int n = 0; n < L.units; n++) d[n] *= share / total;
    d[label] -= share;
    loss += std::log(total) + top - own;
  }

  void backward(size_t l, int from, int to) {
    const Layer &L = layers[l], &B = layers[l - 1];
    float *d = B.d + from * B.ld;
    const float *h = B.h + from * B.ld;
    product(to - from, up(L.inputs, NR) / NR, L.units, L.d + from * L.ld, L.ld, 1, L.transposed, d, B.ld);
    for (int i = 0; i < to - from; i++, d += B.ld, h += B.ld) {
      if (act == Act::relu) for (int n = 0; n < B.units; n++) d[n] = h[n] > 0 ? d[n] : 0;
      else if (act == Act::tanh) for (int n = 0; n < B.units; n++) d[n] *= 1 - h[n] * h[n];
      else for (int n = 0; n < B.units; n++) d[n] *= h[n] * (1 - h[n]);
    }
  }

  // Rows [from, to) of a layer's weights: slopes over the whole batch, and the update.
  void update(size_t l, int from, int to, int count, float *packed) {
    const Layer &L = layers[l];
    const float *a = l == 0 ? x : layers[l - 1].h;
    const size_t lda = l == 0 ? ldx : layers[l - 1].ld;
    for (int p = 0; p < L.columns / NR; p++) {
      for (int i = 0; i < count; i++)
        for (int n = 0; n < NR; n++) packed[i * NR + n] = p * NR + n < L.units ? L.d[i * L.ld + p * NR + n] : 0;
      for (int k = from; k < to; k += MR)
        rest<MR>(std::min(MR, to - k), count, a + k, 1, lda, packed, L.w + (size_t(p) * L.inputs + k) * NR, NR, true, -rate);
      if (from == 0)
        for (int i = 0; i < count; i++)
          for (int n = 0; n < NR; n++) L.bias[p * NR + n] -= rate * packed[i * NR + n];
    }
    if (l > 0) transpose(L, from, to);
  }
};

struct Barrier {
  int threads;
  std::atomic<int> here{0}, round{0};
  void wait() {
    const int now = round.load(std::memory_order_acquire);
    if (here.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
      here.store(0, std::memory_order_relaxed);
      round.store(now + 1, std::memory_order_release);
    } else {
      for (long spins = 0; round.load(std::memory_order_acquire) == now; spins++)
        if (spins > 20000) std::this_thread::yield();
    }
  }
};

int main(int count, char **arguments) {
  std::string path;
  int threads = 1, epochs = 2;
  bool turns = false;
  for (int i = 1; i < count; i++) turns |= std::string(arguments[i]) == "--turns";
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    if (name == "--workload") path = arguments[i + 1];
    if (name == "--threads") threads = std::atoi(arguments[i + 1]);
    if (name == "--epochs") epochs = std::atoi(arguments[i + 1]);
  }
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  const Task task{read.str()};
  std::vector<int> sizes;
  std::stringstream list(task.field("sizes"));
  for (std::string size; std::getline(list, size, ',');) sizes.push_back(std::stoi(size));
  const int rows = std::stoi(task.field("rows")), batch = std::stoi(task.field("batch")), inputs = sizes[0];
  const bool bytes = task.field("kind") == "uint8";
  const std::string hidden = task.field("hidden");
  const auto pixels = bytes ? readFile<uint8_t>(task.field("x")) : std::vector<uint8_t>();
  const auto numbers = bytes ? std::vector<float>() : readFile<float>(task.field("x"));
  const auto labels = readFile<int32_t>(task.field("y"));
  const bool binary = task.field("output") == "sigmoid";
  Net net(sizes, batch, hidden == "relu" ? Act::relu : hidden == "tanh" ? Act::tanh : Act::sigmoid, binary,
          std::stof(task.field("learningRate")));
  std::printf("{\"versions\":{\"compiler\":\"%s\",\"bits\":%d},\"threads\":%d}\n", __VERSION__, 32 * LANES, threads);

  std::vector<int> order(rows);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random(2);
  Barrier barrier{threads};
  std::vector<double> losses(threads * 8);
  std::vector<int> hits(threads * 16);
  auto share = [&](int n, int grain, int t) { return std::min(n, up(static_cast<int>(int64_t(n) * t / threads), grain)); };

  auto epoch = [&](int t, float *packed) {
    double loss = 0;
    int right = 0;
    for (int start = 0; start < rows; start += batch) {
      const int size = std::min(batch, rows - start);
      const int from = share(size, MR, t), to = t + 1 == threads ? size : share(size, MR, t + 1);
      for (int i = from; i < to; i++) {
        const size_t at = size_t(order[start + i]) * inputs;
        float *x = net.x + i * net.ldx;
        if (bytes) for (int k = 0; k < inputs; k++) x[k] = pixels[at + k] * (1 / 255.0f);
        else std::memcpy(x, &numbers[at], 4 * size_t(inputs));
      }
      for (size_t l = 0; l < net.layers.size(); l++) net.forward(net.layers[l], l, from, to);
      for (int i = from; i < to; i++) net.slope(i, labels[order[start + i]], size, loss, right);
      for (size_t l = net.layers.size() - 1; l > 0; l--) net.backward(l, from, to);
      barrier.wait();
      for (size_t l = 0; l < net.layers.size(); l++) {
        const int K = net.layers[l].inputs;
        net.update(l, share(K, NR, t), t + 1 == threads ? K : share(K, NR, t + 1), size, packed);
      }
      barrier.wait();
    }
    losses[t * 8] = loss;
    hits[t * 16] = right;
  };

  // With --turns: a byte of the input says that the next epoch, or the validation, may begin. Meanwhile all threads sleep.
  auto turn = [&] {
    char line;
    if (turns && ::read(0, &line, 1) != 1) std::_Exit(0);
  };
  std::atomic<int> begun{0};
  std::vector<std::thread> team;
  auto body = [&](int t) {
    float *packed = floats(size_t(NR) * (batch + 1));
    for (int e = 1; e <= epochs; e++) {
      if (t == 0) {
        turn();
        begun.store(e);
        begun.notify_all();
      } else begun.wait(e - 1);
      const auto begin = std::chrono::steady_clock::now();
      if (t == 0) std::shuffle(order.begin(), order.end(), random);
      barrier.wait();
      epoch(t, packed);
      barrier.wait();
      if (t > 0) continue;
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      double loss = 0, right = 0;
      for (int i = 0; i < threads; i++) loss += losses[i * 8], right += hits[i * 16];
      std::printf("{\"epoch\":%d,\"seconds\":%.9f,\"loss\":%.9g,\"accuracy\":%.9g}\n", e, seconds, loss / rows, right / rows);
      std::fflush(stdout);
    }
  };
  for (int t = 1; t < threads; t++) team.emplace_back(body, t);
  body(0);
  for (auto &thread : team) thread.join();

  turn();
  if (task.field("test") == "null") return 0;
  Task test{task.text.substr(task.text.find("\"test\":") + 7)};
  const auto testX = readFile<uint8_t>(test.field("x"));
  const auto testY = readFile<int32_t>(test.field("y"));
  int right = 0;
  double loss = 0;
  for (size_t row = 0; row < testY.size(); row++) {
    for (int k = 0; k < inputs; k++) net.x[k] = testX[row * inputs + k] * (1 / 255.0f);
    for (size_t l = 0; l < net.layers.size(); l++) net.forward(net.layers[l], l, 0, 1);
    net.slope(0, testY[row], 1, loss, right);
  }
  std::printf("{\"validationAccuracy\":%.6f}\n", double(right) / double(testY.size()));
  return 0;
}
