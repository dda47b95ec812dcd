# Elements and collections: what goes in comes out, and Redis's words mean what Redis means.

start_server {} {
    test "VADD adds, then replaces" {
        assert_equal 1 [r vadd v values 3 1 2 3 a]
        assert_equal 0 [r vadd v values 3 3 2 1 a]
        assert_equal 1 [r vadd v fp32 [fp32 1 1 1] b]
        assert_equal 2 [r vcard v]
        assert_equal 3 [r vdim v]
        assert_equal {3 2 1} [r vemb v a]
        assert_equal vectorset [r type v]
    }
    test "NX and XX" {
        assert_equal 0 [r vadd v values 3 9 9 9 a nx]
        assert_equal {3 2 1} [r vemb v a]
        assert_equal 0 [r vadd v values 3 9 9 9 new xx]
        assert_equal 0 [r vismember v new]
        assert_equal 0 [r vadd v values 3 4 4 4 a xx]
        assert_equal {4 4 4} [r vemb v a]
        assert_error "ERR XX and NX*" {r vadd v values 3 1 1 1 a nx xx}
    }
    test "element names and attributes are any bytes" {
        set name "\0\xff\r\n"
        set attributes [string repeat "\0\xfe" 32768]
        assert_equal 1 [r vadd v values 3 1 0 0 $name setattr $attributes]
        assert_equal $attributes [r vgetattr v $name]
        assert_equal 1 [r vadd v values 3 1 0 0 ""]
        assert_equal 1 [r vismember v ""]
        r vrem v $name
        r vrem v ""
    }
    test "attributes are set, replaced, removed" {
        assert_equal (nil) [r vgetattr v a]
        assert_equal 1 [r vsetattr v a {{"x":1}}]
        assert_equal {{"x":1}} [r vgetattr v a]
        assert_equal 0 [r vadd v values 3 1 2 3 a]
        assert_equal {{"x":1}} [r vgetattr v a]
        assert_equal 1 [r vsetattr v a ""]
        assert_equal (nil) [r vgetattr v a]
        assert_equal 0 [r vsetattr v nobody x]
        assert_equal 0 [r vsetattr nokey a x]
    }
    test "tags are u64" {
        assert_equal (nil) [r vtag v a]
        assert_equal 1 [r vtag v a 42]
        assert_equal 42 [r vtag v a]
        assert_equal 1 [r vtag v a 18446744073709551615]
        assert_equal 18446744073709551615 [r vtag v a]
        assert_error "ERR invalid TAG" {r vtag v a -1}
        assert_error "ERR invalid TAG" {r vtag v a 18446744073709551616}
        assert_error "ERR wrong number of arguments for 'VTAG' command" {r vtag v a 1 2}
        assert_equal 0 [r vtag v nobody 1]
    }
    test "VGET shows all of it" {
        r vadd g values 2 0.5 -2 e setattr note tag 9
        set map [r vget g e]
        assert_equal {0.5 -2} [field $map vector]
        assert_equal 9 [field $map tag]
        assert_equal note [field $map attributes]
        assert_equal [expr {[field [r proof.state] log_size] - 1}] [field $map index]
        assert_equal (nil) [r vget g nobody]
    }
    test "VREM removes; with the last element a key of VADD goes" {
        assert_equal 1 [r vrem g e]
        assert_equal 0 [r vrem g e]
        assert_equal 0 [r exists g]
    }
    test "VINFO in Redis's order, then ours" {
        r vadd i values 2 1 1 e setattr x
        set map [r vinfo i]
        set names {}
        foreach {name value} $map { lappend names $name }
        assert_equal {quant-type hnsw-m vector-dim projection-input-dim size max-level attributes-count vset-uid hnsw-max-node-uid metric index ef capacity next-slot index-dead index-repairing} $names
        assert_equal {int8 16 2 0 1} [list [field $map quant-type] [field $map hnsw-m] [field $map vector-dim] [field $map projection-input-dim] [field $map size]]
        assert_equal 1 [field $map attributes-count]
        assert_equal cosine [field $map metric]
        assert_equal (nil) [r vinfo nokey]
    }
    test "VCREATE: parameters of its own, and it stays when empty" {
        assert_equal OK [r vcreate c dim 4 metric l2 ef 50 m 8 capacity 2]
        assert_error "ERR key already exists" {r vcreate c dim 4}
        set map [r vinfo c]
        assert_equal {l2 hnsw 50 2 8 4} [list [field $map metric] [field $map index] [field $map ef] [field $map capacity] [field $map hnsw-m] [field $map vector-dim]]
        r vadd c values 4 1 2 3 4 a
        r vadd c values 4 1 2 3 5 b
        assert_error "ERR the collection's capacity is reached" {r vadd c values 4 1 2 3 6 c}
        assert_equal 0 [r vadd c values 4 9 9 9 9 a]
        r vrem c a
        r vrem c b
        assert_equal 1 [r exists c]
        assert_equal 0 [r vcard c]
        assert_equal {} [r vsim c values 4 1 1 1 1]
    }
    test "VMADD: all or nothing, one entry" {
        set before [field [r proof.state] log_size]
        assert_equal 3 [r vmadd m fp32 [fp32 1 2 3 4 5 6] elements 3 a b c tags 1 2 3 attrs x "" z]
        assert_equal [expr {$before + 1}] [field [r proof.state] log_size]
        assert_equal {3 4} [r vemb m b]
        assert_equal {1 2 3} [list [r vtag m a] [r vtag m b] [r vtag m c]]
        assert_equal {x (nil) z} [list [r vgetattr m a] [r vgetattr m b] [r vgetattr m c]]
        assert_equal 1 [r vmadd m fp32 [fp32 1 1 2 2] elements 2 c d]
        assert_equal 4 [r vcard m]
        set state [r proof.state sync]
        assert_error "ERR Vector dimension mismatch - got 3 but set has 2" {
            r vmadd m fp32 [fp32 1 2 3 4 5 6] elements 2 x y
        }
        assert_error "ERR invalid vector specification" {
            r vmadd m fp32 "[fp32 1 2 3][binary format H* 0000c07f]" elements 2 x y
        }
        assert_error "ERR invalid vector specification" {r vmadd m fp32 [fp32 1 2 3] elements 2 x y}
        assert_error "ERR invalid ELEMENTS" {r vmadd m fp32 [fp32 1 2] elements 2 x}
        assert_error "ERR invalid ELEMENTS" {r vmadd m fp32 [fp32 1 2] elements 0 x}
        assert_error "ERR invalid TAGS" {r vmadd m fp32 [fp32 1 2] elements 1 x tags y}
        assert_equal $state [r proof.state]
    }
    test "NOQUANT gives the very floats back" {
        r vadd n values 5 1 4.32 0.11 0.5 0.9 e noquant
        set c [client_open [srv port]]
        $c hello 3
        set exact {}
        foreach x {1 4.32 0.11 0.5 0.9} { binary scan [binary format r $x] r y; lappend exact $y }
        foreach got [$c vemb n e] wanted $exact { assert {$got == $wanted} }
        $c close
        assert_equal f32 [field [r vinfo n] quant-type]
        assert_error "ERR asked quantization mismatch with existing vector set" {
            r vadd n values 5 1 1 1 1 1 f
        }
    }
    test "BIN keeps signs alone: of vectors, queries and groups" {
        assert_equal 1 [r vadd b values 4 0.5 -3 0 1e-40 e bin]
        assert_equal {1 -1 -1 1} [r vemb b e]
        assert_equal bin [field [r vinfo b] quant-type]
        r vadd b fp32 [fp32 9 8 7 6] f bin
        r vmadd b fp32 [fp32 -1 -2 -3 -4 -1 2 -3 4] elements 2 g h
        # 1 - hamming / dim, as Redis has it
        assert_equal {e 1 f 0.5 g 0.5 h 0.5} [r vsim b values 4 2 -2 -2 2 withscores]
        assert_equal [r vsim b ele h withscores] [r vsim b fp32 [fp32 -1 2 -3 4] withscores]
        lassign [r vemb b h raw] name blob length
        assert_equal {bin 2} [list $name $length]
        assert_equal 3 [llength [r vemb b h raw]]
        binary scan $blob w bits
        assert_equal 10 $bits
        foreach other {q8 noquant} {
            assert_error "ERR asked quantization mismatch with existing vector set" {
                r vadd b values 4 1 1 1 1 x $other
            }
        }
    }
    test "VEMB RAW" {
        r vadd raw values 2 3 4 e
        lassign [r vemb raw e raw] name blob length range
        assert_equal {int8 5 0.8} [list $name $length $range]
        binary scan $blob c* bytes
        assert_equal {95 127} $bytes
        lassign [r vemb n e raw] name blob length
        assert_equal {f32 20} [list $name [string length $blob]]
        assert_error "ERR invalid option" {r vemb raw e foo}
        assert_equal (nil) [r vemb raw nobody]
    }
    test "keys: DEL, UNLINK, EXISTS, DBSIZE, databases" {
        r flushall
        foreach key {a b c} { r vadd $key values 1 1 e }
        assert_equal 3 [r dbsize]
        assert_equal 3 [r exists a b c d]
        assert_equal 2 [r exists a a]
        assert_equal 2 [r del a b nokey a]
        assert_equal 0 [r del a]
        assert_equal 1 [r unlink c]
        r vadd k values 1 1 e
        r select 3
        assert_equal 0 [r dbsize]
        r vadd k values 1 2 f
        assert_equal OK [r flushdb]
        r select 0
        assert_equal {e} [r vsim k values 1 1]
        assert_equal none [r type nokey]
        assert_equal OK [r flushall]
        assert_equal 0 [r dbsize]
    }
}
