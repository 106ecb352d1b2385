/** Sums, variances and quantiles exactly as Prometheus forms them. @module */

/** Neumaier's compensated sum of `n` numbers. */
export function kahanSum(n: number, at: (i: number) => number): number {
  let [sum, lost] = [0, 0];
  for (let i = 0; i < n; i++) {
    const value = at(i);
    const next = sum + value;
    if (!Number.isFinite(next)) lost = 0;
    else if (Math.abs(sum) >= Math.abs(value)) lost += (sum - next) + value;
    else lost += (value - next) + sum;
    sum = next;
  }
  return sum + lost;
}

/** The mean of `n` numbers; the running mean is used where the sum would overflow. */
export function kahanMean(n: number, at: (i: number) => number): number {
  const sum = kahanSum(n, at);
  if (Number.isFinite(sum)) return sum / n;
  let mean = 0;
  for (let i = 0; i < n; i++) {
    const value = at(i);
    if (!Number.isFinite(mean) && (mean === value || Number.isFinite(value))) continue;
    mean += value / (i + 1) - mean / (i + 1);
  }
  return mean;
}

/** Population variance of `n` numbers by Welford's recurrence. */
export function stdvar(n: number, at: (i: number) => number): number {
  let [mean, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const delta = at(i) - mean;
    mean += delta / (i + 1);
    squares += delta * (at(i) - mean);
  }
  return squares / n;
}

/** Quantile `q` of `values`, linear between neighbours; reorders them. NaN counts as smallest. */
export function quantileOf(q: number, values: Float64Array): number {
  const n = values.length;
  if (n === 0 || Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const rank = q * (n - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(n - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  let nans = 0;
  for (let i = 0; i < n; i++) {
    if (!Number.isNaN(values[i]!)) continue;
    values[i] = values[nans]!;
    values[nans++] = NaN;
  }
  const low = lower < nans ? NaN : select(values, lower, nans);
  const high = upper === lower ? low : upper < nans ? NaN : smallest(values, upper);
  return low * (1 - weight) + high * weight;
}

/** Moves the k-th smallest of `values[from..]` to its place and returns it. */
function select(values: Float64Array, k: number, from: number): number {
  let [left, right] = [from, values.length - 1];
  while (left < right) {
    const pivot = values[(left + right) >>> 1]!;
    let [i, j] = [left, right];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swap = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swap;
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else break;
  }
  return values[k]!;
}

/** After `select(k)`, all from k + 1 on are at least as large: their smallest is the next in order. */
function smallest(values: Float64Array, from: number): number {
  let least = values[from]!;
  for (let i = from + 1; i < values.length; i++) if (values[i]! < least) least = values[i]!;
  return least;
}
