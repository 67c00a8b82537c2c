// bench/peers/ort.js - how fast ONNX Runtime runs an ONNX file; one JSON line, with the keys of bench_onnx.
//   usage   node ort.js MODEL --threads W --rows B --seconds S [--start EPOCH_MS] [--output-dir DIR] NAME=FILE.npy ...
// SPDX-License-Identifier: MIT
const fs = require('fs');
const ort = require('onnxruntime-node');

const types = {
  '<f4': ['float32', Float32Array], '<f8': ['float64', Float64Array], '<i8': ['int64', BigInt64Array],
  '<i4': ['int32', Int32Array], '|u1': ['uint8', Uint8Array], '|b1': ['bool', Uint8Array],
};

function readNpy(file) {
  const bytes = fs.readFileSync(file);
  const end = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, end);
  const [type, array] = types[/'descr': '(...)'/.exec(header)[1]];
  const dims = /'shape': \((.*?)\)/.exec(header)[1].split(',').filter(s => s.trim()).map(Number);
  const data = bytes.buffer.slice(bytes.byteOffset + end, bytes.byteOffset + bytes.length);  // aligned
  return new ort.Tensor(type, new array(data), dims);
}

function writeNpy(file, tensor) {
  const descr = Object.keys(types).find(key => types[key][0] === tensor.type);
  if (!descr) return;
  const shape = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(', ');
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length % 256, padded.length >> 8]);
  const data = tensor.data;
  fs.writeFileSync(file, Buffer.concat([start, Buffer.from(padded),
                                        Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}

const now = () => Number(process.hrtime.bigint()) / 1e6;

async function main() {
  const flags = {};
  const inputs = {};
  const [model, ...rest] = process.argv.slice(2);
  while (rest.length > 0) {
    const word = rest.shift();
    if (word.startsWith('--')) flags[word.slice(2)] = rest.shift();
    else inputs[word.slice(0, word.lastIndexOf('='))] = readNpy(word.slice(word.lastIndexOf('=') + 1));
  }
  const before = process.resourceUsage().maxRSS;
  const start = now();
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(flags.threads), interOpNumThreads: 1, executionMode: 'sequential',
    graphOptimizationLevel: 'all', logSeverityLevel: 3,
  });
  const load = now() - start;
  if (flags['output-dir']) {
    const answers = await session.run(inputs);
    for (const name of session.outputNames)
      writeNpy(`${flags['output-dir']}/${name.replace(/[^A-Za-z0-9._-]/g, '_')}.npy`, answers[name]);
  }
  if (flags.start) await new Promise(done => setTimeout(done, Math.max(0, Number(flags.start) - Date.now())));
  const limit = Number(flags.seconds) * 1000;
  for (const warm = now(), end = warm + limit / 10; ;) {
    await session.run(inputs);
    if (now() >= end) break;
  }
  const times = [];
  const begun = now();
  for (let last = begun; times.length === 0 || last - begun < limit;) {
    await session.run(inputs);
    const next = now();
    times.push(next - last);
    last = next;
  }
  const wall = now() - begun;
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({
    rows_per_s: Number(flags.rows) * times.length / wall * 1000, ms_min: times[0],
    ms_median: times[Math.floor(times.length / 2)], load_ms: load, peak_rss_kib: process.resourceUsage().maxRSS,
    rss_before_kib: before, calls: times.length,
  }));
}

main().catch(error => {
  console.error(`ort.js: ${error.message}`);
  process.exit(1);
});
