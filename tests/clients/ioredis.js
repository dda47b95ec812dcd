// ioredis (npm) over RESP2 and RESP3: the vector commands through call().
"use strict";

const { deepStrictEqual: same, ok } = require("node:assert");
const Redis = require("ioredis");
const { port, restart, refused, next, fp32, run, finish } = require("./program.js");

function connect(protocol, more = {}) {
    const redis = new Redis({ port, protocol, ...more });
    redis.on("error", () => {});
    return redis;
}

function tests(protocol) {
    let redis;
    const key = (name) => `${name}${protocol}`;
    const state = async (name) => {
        const fields = await redis.call("PROOF.STATE", "SYNC");
        return Array.isArray(fields) ? fields[fields.indexOf(name) + 1] : fields[name];
    };

    return {
        async connect() {
            redis = connect(protocol, { connectionName: "worker" });
            await next(redis, "ready");
            same(await redis.ping(), "PONG");
            same(await redis.client("GETNAME"), "worker");
            ok((await redis.client("INFO")).includes(`resp=${protocol} lib-name=ioredis`));
            ok((await redis.info("server")).includes("redis_version:"));
        },

        async "add and search"() {
            const call = (...words) => redis.call(...words);
            const fruits = key("fruits");
            // True in RESP3 is a boolean; both are truthy.
            ok(await call("VADD", fruits, "VALUES", 3, 1, 0.2, 0, "apple", "SETATTR", '{"n":1}'));
            ok(await call("VADD", fruits, "FP32", fp32(0.1, 1, 0), "banana"));
            ok(!(await call("VADD", fruits, "VALUES", 3, 1, 0.2, 0, "apple")));
            same(await call("VSIM", fruits, "VALUES", 3, 1, 0, 0, "COUNT", 2), ["apple", "banana"]);
            same(await redis.vsim(fruits, "ELE", "banana", "COUNT", 1), ["banana"]);
            same(await call("VSEARCH", fruits, "K", 1, "FP32", fp32(0, 1, 0)), ["banana"]);
            same([await call("VCARD", fruits), await call("VDIM", fruits)], [2, 3]);
            same(await call("VGETATTR", fruits, "apple"), '{"n":1}');
            same(await call("VEMB", fruits, "nobody"), null);
            const embedding = await call("VEMB", fruits, "banana");
            ok(Math.abs(Number(embedding[1]) - 1) < 0.02);
            same(await redis.callBuffer("VSIM", fruits, "ELE", "apple", "COUNT", 1),
                 [Buffer.from("apple")]);
        },

        async errors() {
            same(await refused(redis.call("VADD", key("fruits"), "VALUES", 1, 1, "x")),
                 "ERR Vector dimension mismatch - got 1 but set has 3");
            ok((await refused(redis.call("NOSUCH"))).startsWith("ERR unknown command"));
            same(await redis.ping(), "PONG");
        },

        async "transaction and pipeline"() {
            const queue = redis.multi();
            for (let i = 0; i < 50; i++) queue.call("VADD", key("t"), "VALUES", 2, i, 1, `e${i}`);
            queue.call("VCARD", key("t"));
            const replies = await queue.exec();
            ok(replies.every(([error]) => error === null));
            same(replies[50][1], 50);
            const aborted = redis.multi().call("VREM", key("t"), "e0").call("NOSUCH").exec();
            ok((await refused(aborted)).startsWith("EXECABORT"));
            const pipeline = redis.pipeline();
            for (let i = 0; i < 1000; i++) pipeline.call("VISMEMBER", key("t"), `e${i}`);
            const found = (await pipeline.exec()).filter(([error, there]) => !error && there);
            same(found.length, 50);
        },

        async strings() {
            same(await redis.set(key("name"), "caf\u00e9"), "OK");
            same(await redis.get(key("name")), "caf\u00e9");
            same(await redis.getBuffer(key("nothing")), null);
            same(await redis.incr(key("counter")), 1);
        },

        async keys() {
            await redis.select(protocol);
            await redis.mset("name", "value", "counter", 1);
            same(await redis.rename("name", "title"), "OK");
            const found = [];
            for await (const keys of redis.scanStream({ match: "*t*", count: 1 })) {
                found.push(...keys);
            }
            same(found.sort(), ["counter", "title"]);
            same(await redis.flushdb(), "OK");
            await redis.select(0);
        },

        async watch() {
            const other = connect(protocol);
            await redis.set(key("watched"), 1);
            await redis.watch(key("watched"));
            await other.incr(key("watched"));
            same(await redis.multi().set(key("watched"), 100).exec(), null);
            same(await redis.get(key("watched")), "2");
            await other.quit();
        },

        async password() {
            await redis.config("SET", "requirepass", "secret");
            try {
                const known = connect(protocol, { password: "secret" });
                same(await known.ping(), "PONG");
                await known.quit();
                const unknown = connect(protocol, { retryStrategy: null, enableReadyCheck: false });
                ok((await refused(unknown.ping())).startsWith("NOAUTH"));
                unknown.disconnect();
            } finally {
                await redis.config("SET", "requirepass", "");
            }
        },

        async "reconnect after the server was killed"() {
            await redis.call("VADD", key("kept"), "VALUES", 2, 3, 4, "before");
            const root = await state("state_root");
            const ready = next(redis, "ready");
            await restart();
            const asked = redis.call("VSIM", key("kept"), "VALUES", 2, 3, 4);
            await ready;
            same(await asked, ["before"]);
            same(await state("state_root"), root);
            same(await redis.client("GETNAME"), "worker");
            ok(await redis.call("VADD", key("kept"), "VALUES", 2, 3, 4, "after"));
        },

        async close() {
            same(await redis.quit(), "OK");
        },
    };
}

(async () => {
    await run("RESP2", tests(2));
    await run("RESP3", tests(3));
    finish();
})();
