// What the JavaScript programs of tests/clients share: telling tests/clients/run what happened.
"use strict";

const readline = require("node:readline");

const port = Number(process.argv[2]);
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Have the server killed and started again; clients are accepted when this resolves.
async function restart() {
    console.log("restart");
    const { value } = await lines.next();
    if (value !== "restarted") throw new Error(`no server after the restart: ${value}`);
}

// The text of the error that the promise must end in.
async function refused(promise) {
    let answer;
    try {
        answer = await promise;
    } catch (error) {
        return error.message;
    }
    throw new Error(`it was answered: ${JSON.stringify(answer)}`);
}

// When the event comes next. Unlike events.once() it lives through errors, of which there are some
// while a server is away.
function next(emitter, event) {
    return new Promise((resolve) => emitter.once(event, resolve));
}

// Little-endian binary32 numbers, as the commands take them after FP32.
function fp32(...numbers) {
    const blob = Buffer.alloc(4 * numbers.length);
    numbers.forEach((number, i) => blob.writeFloatLE(number, 4 * i));
    return blob;
}

// Run the functions of an object one after the other; the label stands before their names.
async function run(label, tests) {
    for (const [name, test] of Object.entries(tests)) {
        try {
            await test();
            console.log(`ok ${label}: ${name}`);
        } catch (error) {
            console.log(`FAIL ${label}: ${name}: ${error.stack}`);
            process.exitCode = 1;
        }
    }
}

module.exports = { port, restart, refused, next, fp32, run, finish: () => process.stdin.destroy() };
