// node-redis (npm: redis) over RESP2 and RESP3: its typed vector-set methods, and sendCommand for
// what it has no method for.
"use strict";

const { deepStrictEqual: same, ok, rejects } = require("node:assert");
const { createClient, WatchError } = require("redis");
const { port, restart, refused, next, fp32, run, finish } = require("./program.js");

async function connect(RESP, more = {}) {
    const client = createClient({ RESP, socket: { port, host: "127.0.0.1" }, ...more });
    // Without a listener the loss of a connection ends the process.
    client.on("error", () => {});
    await client.connect();
    return client;
}

function tests(RESP) {
    let client;
    const key = (name) => `${name}${RESP}`;
    // A map is an object in RESP3 and a flat array in RESP2.
    const field = (map, name) => (Array.isArray(map) ? map[map.indexOf(name) + 1] : map[name]);
    const state = () => client.sendCommand(["PROOF.STATE", "SYNC"]);

    return {
        async connect() {
            client = await connect(RESP, { name: "worker" });
            same(await client.ping(), "PONG");
            same(await client.clientGetName(), "worker");
            const us = await client.clientInfo();
            same([us.name, us.libName, us.resp], ["worker", "node-redis", RESP]);
            ok((await client.clientList()).some((other) => other.id === us.id));
            ok((await client.info()).includes("redis_version:"));
            ok((await client.configGet("databases")).databases);
            same(await client.commandCount(), (await client.command()).length);
        },

        async "typed vector methods"() {
            const fruits = key("fruits");
            const red = { color: "red", price: 1.5 };
            same(await client.vAdd(fruits, [1, 0.2, 0], "apple", { SETATTR: red }), true);
            same(await client.vAdd(fruits, [0.1, 1, 0], "banana"), true);
            same(await client.vAdd(fruits, [0, 0, 1], "cherry", { CAS: true }), true);
            same(await client.vAdd(fruits, [0, 0.1, 1], "cherry"), false);
            same(await client.vSim(fruits, [1, 0, 0], { COUNT: 2 }), ["apple", "banana"]);
            same(await client.vSim(fruits, "cherry", { COUNT: 1, TRUTH: true }), ["cherry"]);
            const scores = await client.vSimWithScores(fruits, "apple");
            same(Object.keys(scores), ["apple", "banana", "cherry"]);
            ok(scores.apple === 1 && scores.banana < 1 && scores.cherry < scores.banana);
            same([await client.vCard(fruits), await client.vDim(fruits)], [3, 3]);
            same(await client.vGetAttr(fruits, "apple"), red);
            same(await client.vGetAttr(fruits, "banana"), null);
            same(await client.vSetAttr(fruits, "banana", { color: "yellow" }), true);
            same(await client.vGetAttr(fruits, "banana"), { color: "yellow" });
            same(await client.vSetAttr(fruits, "nobody", {}), false);
            same(await client.vLinks(fruits, "nobody"), null);
            const info = await client.vInfo(fruits);
            same([info.size, info["vector-dim"], info["attributes-count"]], [3, 3, 2]);
            same(await client.vRem(fruits, "cherry"), true);
            same(await client.vRem(fruits, "cherry"), false);
            same(await client.type(fruits), "vectorset");
        },

        async "floats come back"() {
            const wanted = [1, 4.32, 0.11, 0.5, 0.9];
            await client.vAdd(key("exact"), wanted, "e", { QUANT: "NOQUANT" });
            same((await client.vEmb(key("exact"), "e")).map(Math.fround), wanted.map(Math.fround));
            const { quantization, l2Norm } = await client.vEmbRaw(key("exact"), "e");
            same(quantization, "f32");
            ok(Math.abs(l2Norm - Math.hypot(...wanted)) < 1e-5);
        },

        async "commands without a method"() {
            const native = key("native");
            const send = (...words) => client.sendCommand(words);
            same(await send("VCREATE", native, "DIM", "2", "METRIC", "L2", "INDEX",
                            "HNSW"), "OK");
            same(await send("VMADD", native, "FP32", fp32(0, 0, 3, 4), "ELEMENTS", "2", "a", "b"), 2);
            same(await send("VSEARCH", native, "K", "1", "FP32", fp32(3, 3)), ["b"]);
            same((await client.vLinks(native, "a")).at(-1), ["b"]);
            same(Object.keys((await client.vLinksWithScores(native, "a")).at(-1)), ["b"]);
            ok(await send("VTAG", native, "b", "7"));
            same(field(await send("VGET", native, "b"), "tag"), 7);
        },

        async errors() {
            same(await refused(client.vAdd(key("fruits"), [1], "x")),
                 "ERR Vector dimension mismatch - got 1 but set has 3");
            ok((await refused(client.sendCommand(["NOSUCH"]))).startsWith("ERR unknown command"));
            same(await refused(client.vDim(key("nothing"))), "ERR key does not exist");
            same(await client.ping(), "PONG");
        },

        async transaction() {
            const before = field(await state(), "log_size");
            const queue = client.multi();
            for (let i = 0; i < 50; i++) queue.vAdd(key("t"), [i, 1], `e${i}`);
            const replies = await queue.vCard(key("t")).vSim(key("t"), "e0", { COUNT: 1 }).exec();
            same(replies, [...Array(50).fill(true), 50, ["e0"]]);
            // One entry for the transaction, and at most a SEAL before and after it.
            ok(field(await state(), "log_size") - before <= 3);
            await rejects(client.multi().vRem(key("t"), "e0").addCommand(["NOSUCH"]).exec());
            same(await client.vCard(key("t")), 50);
        },

        async strings() {
            same(await client.set(key("name"), "caf\u00e9"), "OK");
            same(await client.get(key("name")), "caf\u00e9");
            same(await client.get(key("nothing")), null);
            same(await client.incrBy(key("counter"), 42), 42);
            same(await client.unlink([key("name"), key("nothing"), key("counter")]), 2);
        },

        async keys() {
            await client.select(RESP);
            await client.mSet({ name: "value", counter: "1" });
            await client.vAdd("fruits", [1, 0], "apple");
            same(await client.rename("name", "title"), "OK");
            same((await client.keys("*t*")).sort(), ["counter", "fruits", "title"]);
            const found = [];
            for await (const keys of client.scanIterator({ COUNT: 1 })) found.push(...keys);
            same(found.sort(), ["counter", "fruits", "title"]);
            same((await client.scan("0", { TYPE: "vectorset", COUNT: 100 })).keys, ["fruits"]);
            same(await client.flushDb(), "OK");
            await client.select(0);
        },

        async "memory usage"() {
            await client.set(key("sized"), "x".repeat(100000));
            ok((await client.memoryUsage(key("sized"))) > 100000);
            same(await client.memoryUsage("nothing"), null);
        },

        async watch() {
            const other = await connect(RESP);
            await client.set(key("watched"), 1);
            await client.watch(key("watched"));
            await other.incr(key("watched"));
            await rejects(client.multi().set(key("watched"), 100).exec(), WatchError);
            await client.watch(key("watched"));
            same(await client.multi().incr(key("watched")).exec(), [3]);
            await other.close();
        },

        async password() {
            await client.configSet("requirepass", "secret");
            try {
                const known = await connect(RESP, { password: "secret" });
                same(await known.ping(), "PONG");
                await known.close();
                const unknown = connect(RESP, { password: "guessed", disableOfflineQueue: true,
                    socket: { port, host: "127.0.0.1", reconnectStrategy: false } });
                ok((await refused(unknown)).startsWith("WRONGPASS"));
            } finally {
                await client.configSet("requirepass", "");
            }
        },

        async "pipelining"() {
            const added = await Promise.all(Array.from({ length: 1000 }, (_, i) =>
                client.vAdd(key("p"), [i, 1], `e${i}`)));
            ok(added.every((one) => one === true));
            same(await client.del(key("p")), 1);
        },

        async "reconnect after the server was killed"() {
            await client.vAdd(key("kept"), [3, 4], "before");
            const root = field(await state(), "state_root");
            const ready = next(client, "ready");
            await restart();
            // Asked before the connection is back: it waits in the client's queue.
            const asked = client.vSim(key("kept"), [3, 4]);
            await ready;
            same(await asked, ["before"]);
            same(field(await state(), "state_root"), root);
            same(await client.clientGetName(), "worker");
            same(await client.vAdd(key("kept"), [3, 4], "after"), true);
        },

        async close() {
            await client.close();
        },
    };
}

(async () => {
    await run("RESP2", tests(2));
    await run("RESP3", tests(3));
    finish();
})();
