// Runs one golden program as WebAssembly: node tests/arch/wasm.mjs program.wasm
//
// The module imports nothing: no clock, no file, no way out. It exports its memory, golden_run(),
// and the text that it has gathered (tests/golden/harness_wasm.c).
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import process from "node:process";

const path = process.argv[2];
const name = basename(path, ".wasm");
const { instance } = await WebAssembly.instantiate(await readFile(path), {});
const { memory, golden_run, golden_text, golden_text_size } = instance.exports;

let failed = 1;
try {
    failed = golden_run();
} catch (error) {
    console.log(`  FAIL ${name}: it trapped: ${error.message}`);
}
process.stdout.write(Buffer.from(memory.buffer, golden_text(), golden_text_size()));
console.log(`${name}: ${failed ? 0 : 1} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
