# The vector-set family, word for word: each row is a command and its whole reply as it was seen
# from Redis 8.8, types included. Rows build on each other.

# A reply with its types: arrays and maps as *n(..) and %n(..).
proc typed {c} {
    set line [$c line]
    switch -- [string index $line 0] {
        $ { return [expr {$line eq "\$-1" ? $line : "\$[$c line]"}] }
        * - % {
            if {$line eq "*-1"} { return $line }
            set count [string range $line 1 end]
            if {[string index $line 0] eq "%"} { set count [expr {$count * 2}] }
            set parts {}
            for {set i 0} {$i < $count} {incr i} { lappend parts [typed $c] }
            return "${line}([join $parts " "])"
        }
        default { return $line }
    }
}

proc expect_rows {c rows} {
    foreach {words reply} $rows {
        $c send {*}$words
        set got [typed $c]
        if {$got ne $reply} { complain "$words: wanted $reply got $got" }
    }
}

start_server {} {
    set c [client_open [srv port]]
    test "what the rows begin with" {
        r set str x
        for {set i 0} {$i < 6} {incr i} { r vadd k values 3 $i 1 2 e$i setattr "{\"i\":$i}" }
        r vadd n values 3 1 2 3 a noquant
    }
    test "every error and shape in RESP2" {
        expect_rows $c {
            {VRANGE k - +} {*6($e0 $e1 $e2 $e3 $e4 $e5)}
            {VRANGE k - + 2} {*2($e0 $e1)}
            {VRANGE k - + 0} *0()
            {VRANGE k - + -5} {*6($e0 $e1 $e2 $e3 $e4 $e5)}
            {VRANGE k - + x} {-ERR invalid COUNT value}
            {VRANGE k + -} {-ERR '-' can only be used as first argument, '+' only as second}
            {VRANGE k - -} {-ERR '-' can only be used as first argument, '+' only as second}
            {VRANGE k + +} {-ERR '-' can only be used as first argument, '+' only as second}
            {VRANGE k {[} +} {-ERR invalid start range format}
            {VRANGE k ( +} {-ERR invalid start range format}
            {VRANGE k - {[}} {-ERR invalid end range format}
            {VRANGE k - (} {-ERR invalid end range format}
            {VRANGE k e1 +} {-ERR invalid start range format}
            {VRANGE k - e1} {-ERR invalid end range format}
            {VRANGE k {[e1} {[e3}} {*3($e1 $e2 $e3)}
            {VRANGE k (e1 (e3} {*1($e2)}
            {VRANGE k (e1 {[e3} 1} {*1($e2)}
            {VRANGE k {[e3} {[e1}} *0()
            {VRANGE k (e3 (e3} *0()
            {VRANGE k {[e3} {[e3}} {*1($e3)}
            {VRANGE k - + 1 2} {-ERR wrong number of arguments for 'VRANGE' command}
            {VRANGE k -} {-ERR wrong number of arguments for 'VRANGE' command}
            {VRANGE k {} +} {-ERR invalid start range format}
            {VRANGE k - {}} {-ERR invalid end range format}
            {VRANGE k -x +} {-ERR invalid start range format}
            {VRANGE k - +x} {-ERR invalid end range format}
            {VRANGE nokey bad +} {-ERR invalid start range format}
            {VRANGE nokey - + x} {-ERR invalid COUNT value}
            {VRANGE nokey - +} *0()
            {VRANGE str - +} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VRANGE str bad +} {-ERR invalid start range format}
            {VRANGE k {[+} +} {*6($e0 $e1 $e2 $e3 $e4 $e5)}
            {VRANGE k + {[x}} {-ERR '-' can only be used as first argument, '+' only as second}
            {VRANGE k {[x} -} {-ERR '-' can only be used as first argument, '+' only as second}
            {VRANDMEMBER k 0} *0()
            {VRANDMEMBER k x} {-ERR COUNT value is not an integer}
            {VRANDMEMBER k 1.5} {-ERR COUNT value is not an integer}
            {VRANDMEMBER k {}} {-ERR COUNT value is not an integer}
            {VRANDMEMBER nokey} {$-1}
            {VRANDMEMBER nokey 0} *0()
            {VRANDMEMBER nokey 5} *0()
            {VRANDMEMBER nokey -5} *0()
            {VRANDMEMBER nokey x} {-ERR COUNT value is not an integer}
            {VRANDMEMBER str} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VRANDMEMBER str x} {-ERR COUNT value is not an integer}
            {VRANDMEMBER str 0} *0()
            {VRANDMEMBER k 1 2} {-ERR wrong number of arguments for 'VRANDMEMBER' command}
            {VRANDMEMBER} {-ERR wrong number of arguments for 'VRANDMEMBER' command}
            {VRANDMEMBER k 9223372036854775808} {-ERR COUNT value is not an integer}
            {VISMEMBER k e1} :1
            {VISMEMBER k nope} :0
            {VISMEMBER nokey e} :0
            {VISMEMBER str e} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VISMEMBER k} {-ERR wrong number of arguments for 'VISMEMBER' command}
            {VISMEMBER k a b} {-ERR wrong number of arguments for 'VISMEMBER' command}
            {VCARD k} :6
            {VCARD nokey} :0
            {VCARD str} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VCARD} {-ERR wrong number of arguments for 'VCARD' command}
            {VCARD a b} {-ERR wrong number of arguments for 'VCARD' command}
            {VDIM k} :3
            {VDIM nokey} {-ERR key does not exist}
            {VDIM str} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VEMB k nope} {$-1}
            {VEMB nokey e} {$-1}
            {VEMB str e} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VEMB k e1 FOO} {-ERR invalid option}
            {VEMB k e1 RAW RAW x} {-ERR invalid option}
            {VEMB k nope FOO} {-ERR invalid option}
            {VEMB nokey e FOO} {-ERR invalid option}
            {VEMB k} {-ERR wrong number of arguments for 'VEMB' command}
            {VEMB n a} {*3($1 $2 $3)}
            {VLINKS k nope} {$-1}
            {VLINKS nokey e} {$-1}
            {VLINKS str e} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VLINKS k e1 FOO} {-ERR wrong number of arguments for 'VLINKS' command}
            {VLINKS k e1 WITHSCORES x} {-ERR wrong number of arguments for 'VLINKS' command}
            {VLINKS k} {-ERR wrong number of arguments for 'VLINKS' command}
            {VINFO nokey} *-1
            {VINFO str} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VINFO} {-ERR wrong number of arguments for 'VINFO' command}
            {VREM k nope} :0
            {VREM nokey e} :0
            {VREM str e} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VREM k} {-ERR wrong number of arguments for 'VREM' command}
            {VSETATTR k nope {{}}} :0
            {VSETATTR nokey e {{}}} :0
            {VSETATTR str e {{}}} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VSETATTR k e1} {-ERR wrong number of arguments for 'VSETATTR' command}
            {VSETATTR k e1 {}} :1
            {VGETATTR k e1} {$-1}
            {VSETATTR k e1 notjson} :1
            {VGETATTR k e1} {$notjson}
            {VGETATTR k nope} {$-1}
            {VGETATTR nokey e} {$-1}
            {VGETATTR str e} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VGETATTR k} {-ERR wrong number of arguments for 'VGETATTR' command}
            {VADD} {-ERR wrong number of arguments for 'VADD' command}
            {VADD k} {-ERR wrong number of arguments for 'VADD' command}
            {VADD k VALUES 3 1 2} {-ERR invalid vector specification}
            {VADD k VALUES 3 1 2 3} {-ERR wrong number of arguments for 'VADD' command}
            {VADD k FP32 abc e} {-ERR invalid vector specification}
            {VADD k FP32 abcd} {-ERR wrong number of arguments for 'VADD' command}
            {VADD k FP32 {} e} {-ERR invalid vector specification}
            {VADD k FOO 3 1 2 3 e} {-ERR invalid vector specification}
            {VADD k VALUES 0 e x} {-ERR invalid vector specification}
            {VADD k VALUES -1 e x} {-ERR invalid vector specification}
            {VADD k VALUES x 1 e} {-ERR invalid vector specification}
            {VADD k VALUES 65537 1 e} {-ERR invalid vector specification}
            {VADD k VALUES 3 1 x 3 e} {-ERR invalid vector specification}
            {VADD k VALUES 3 1 nan 3 e} {-ERR invalid vector specification}
            {VADD k VALUES 3 1 { 2} 3 e} {-ERR invalid vector specification}
            {VADD k VALUES 3 1 1e400 3 e} {-ERR invalid vector specification}
            {VADD k VALUES 3 1 2 3 e EF} {-ERR invalid option after element}
            {VADD k VALUES 3 1 2 3 e EF 0} {-ERR invalid EF}
            {VADD k VALUES 3 1 2 3 e EF 1000001} {-ERR invalid EF}
            {VADD k VALUES 3 1 2 3 e EF x} {-ERR invalid EF}
            {VADD k VALUES 3 1 2 3 e M 3} {-ERR invalid M}
            {VADD k VALUES 3 1 2 3 e M 4097} {-ERR invalid M}
            {VADD k VALUES 3 1 2 3 e M x} {-ERR invalid M}
            {VADD k VALUES 3 1 2 3 e SETATTR} {-ERR invalid option after element}
            {VADD k VALUES 3 1 2 3 e FOO} {-ERR invalid option after element}
            {VADD k VALUES 3 1 2 3 e M} {-ERR invalid option after element}
            {VADD k VALUES 3 1 2 3 e NOQUANT} {-ERR asked quantization mismatch with existing vector set}
            {VADD k VALUES 3 1 2 3 e BIN} {-ERR asked quantization mismatch with existing vector set}
            {VADD k VALUES 3 1 2 3 e M 8} {-ERR asked M value mismatch with existing vector set}
            {VADD k VALUES 2 1 2 e} {-ERR Vector dimension mismatch - got 2 but set has 3}
            {VADD k VALUES 2 1 2 e M 8} {-ERR asked M value mismatch with existing vector set}
            {VADD k VALUES 2 1 2 e NOQUANT} {-ERR asked quantization mismatch with existing vector set}
            {VADD k VALUES 2 1 2 e NOQUANT M 8} {-ERR asked quantization mismatch with existing vector set}
            {VADD k REDUCE 2 VALUES 3 1 2 3 e} {-ERR cannot add projection to existing set without projection}
            {VADD k REDUCE 3 VALUES 3 1 2 3 e} {-ERR cannot add projection to existing set without projection}
            {VADD k REDUCE 4 VALUES 3 1 2 3 e} {-ERR invalid vector specification}
            {VADD k REDUCE 0 VALUES 3 1 2 3 e} {-ERR invalid vector specification}
            {VADD k REDUCE x VALUES 3 1 2 3 e} {-ERR invalid vector specification}
            {VADD k REDUCE 2} {-ERR wrong number of arguments for 'VADD' command}
            {VADD k REDUCE 2 VALUES 2 1 2 e} {-ERR Vector dimension mismatch - got 2 but set has 3}
            {VADD k REDUCE 2 REDUCE 2 VALUES 3 1 2 3 e} {-ERR invalid vector specification}
            {VADD k REDUCE 2 FOO 3 1 2 3 e} {-ERR invalid vector specification}
            {VADD str VALUES 3 1 2 3 e} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VADD str VALUES 3 1 2 3 e FOO} {-ERR invalid option after element}
            {VADD k VALUES 3 1 2 3 e1 CAS} :0
            {VADD k VALUES 3 1 2 3 new CAS} :1
            {VREM k new} :1
            {VADD p REDUCE 2 VALUES 4 1 2 3 4 a} :1
            {VADD p REDUCE 2 VALUES 4 4 3 2 1 b} :1
            {VADD p REDUCE 3 VALUES 4 4 3 2 1 b} {-ERR Vector dimension mismatch - got 4 but set has 2}
            {VADD p REDUCE 2 VALUES 3 4 3 2 b} {-ERR Input dimension mismatch for projection - got 3 but projection expects 4}
            {VADD p VALUES 4 4 3 2 1 b} {-ERR Vector dimension mismatch - got 4 but set has 2}
            {VADD p VALUES 2 4 3 b} {-ERR Vector dimension mismatch - got 2 but set has 2}
            {VADD p REDUCE 2 VALUES 2 4 3 b} {-ERR Input dimension mismatch for projection - got 2 but projection expects 4}
            {VADD p REDUCE 2 VALUES 4 1 0 0 0 c NOQUANT} {-ERR asked quantization mismatch with existing vector set}
            {VDIM p} :2
            {VSIM p ELE a} {*2($a $b)}
            {VSIM p VALUES 2 1 2} {*2($b $a)}
            {VSIM p VALUES 4 1 2 3 4} {*2($a $b)}
            {VSIM p VALUES 3 1 2 3} {-ERR Input dimension mismatch for projection - got 3 but projection expects 4}
            {VSIM p VALUES 5 1 2 3 4 5 COUNT x} {-ERR Input dimension mismatch for projection - got 5 but projection expects 4}
            {VSIM p REDUCE 2 VALUES 4 1 2 3 4} {-ERR invalid vector specification}
            {VSIM k} {-ERR wrong number of arguments for 'VSIM' command}
            {VSIM k ELE} {-ERR wrong number of arguments for 'VSIM' command}
            {VSIM k ELE nope} {-ERR element not found in set}
            {VSIM k ELE nope COUNT x} {-ERR element not found in set}
            {VSIM nokey ELE} {-ERR wrong number of arguments for 'VSIM' command}
            {VSIM nokey ELE x COUNT x} *0()
            {VSIM nokey FOO x} *0()
            {VSIM str ELE x} {-WRONGTYPE Operation against a key holding the wrong kind of value}
            {VSIM k FOO x} {-ERR invalid vector specification}
            {VSIM k VALUES 3 1 2} {-ERR invalid vector specification}
            {VSIM k VALUES 2 1 2} {-ERR Vector dimension mismatch - got 2 but set has 3}
            {VSIM k VALUES 2 1 2 COUNT x} {-ERR Vector dimension mismatch - got 2 but set has 3}
            {VSIM k VALUES 3 1 x 2} {-ERR invalid vector specification}
            {VSIM k FP32 abc} {-ERR invalid vector specification}
            {VSIM k ELE e1 COUNT} {-ERR syntax error in VSIM command}
            {VSIM k ELE e1 COUNT 0} {-ERR invalid COUNT}
            {VSIM k ELE e1 COUNT -1} {-ERR invalid COUNT}
            {VSIM k ELE e1 COUNT x} {-ERR invalid COUNT}
            {VSIM k ELE e1 EPSILON} {-ERR syntax error in VSIM command}
            {VSIM k ELE e1 EPSILON 0} {-ERR invalid EPSILON}
            {VSIM k ELE e1 EPSILON -1} {-ERR invalid EPSILON}
            {VSIM k ELE e1 EPSILON x} {-ERR invalid EPSILON}
            {VSIM k ELE e1 EPSILON nan} {-ERR invalid EPSILON}
            {VSIM k ELE e1 EPSILON inf} {*6($e1 $e0 $e2 $e3 $e4 $e5)}
            {VSIM k ELE e1 EF 0} {-ERR invalid EF}
            {VSIM k ELE e1 EF 1000001} {-ERR invalid EF}
            {VSIM k ELE e1 EF x} {-ERR invalid EF}
            {VSIM k ELE e1 FILTER-EF 0} {-ERR invalid FILTER-EF}
            {VSIM k ELE e1 FILTER-EF x} {-ERR invalid FILTER-EF}
            {VSIM k ELE e1 FILTER} {-ERR syntax error in VSIM command}
            {VSIM k ELE e1 FILTER {1 +}} {-ERR syntax error in FILTER expression near: 1 +}
            {VSIM k ELE e1 FOO} {-ERR syntax error in VSIM command}
            {VSIM k ELE e1 FOO 1} {-ERR syntax error in VSIM command}
            {VSIM k ELE e1 TRUTH NOTHREAD} {*6($e1 $e0 $e2 $e3 $e4 $e5)}
            {VSIM k ELE e1 WITHSCORES COUNT 1} {*2($e1 $1)}
            {VSIM k ELE e1 WITHATTRIBS COUNT 2} {*4($e1 $notjson $e0 ${"i":0})}
            {VSIM k ELE e1 WITHATTRIBS WITHSCORES COUNT 1} {*3($e1 $1 $notjson)}
            {VSIM nokey ELE x WITHSCORES} *0()
            {VSIM k FP32} {-ERR wrong number of arguments for 'VSIM' command}
            {VSIM k ELE e0 REDUCE 2} {-ERR syntax error in VSIM command}
        }
    }
    test "and in RESP3" {
        $c hello 3
        expect_rows $c {
            {VISMEMBER k e1} #t
            {VCARD k} :6
            {VADD k VALUES 3 1 2 3 zz} #t
            {VADD k VALUES 3 1 2 3 zz} #f
            {VREM k zz} #t
            {VREM k zz} #f
            {VSETATTR k e1 {{"a":1}}} #t
            {VSETATTR k nope {{}}} #f
            {VGETATTR k nope} _
            {VEMB k nope} _
            {VEMB n a} {*3(,1 ,2 ,3)}
            {VLINKS k nope} _
            {VINFO nokey} _
            {VRANDMEMBER nokey} _
            {VRANDMEMBER k 0} *0()
            {VRANDMEMBER nokey 3} *0()
            {VRANGE k - + 2} {*2($e0 $e1)}
            {VSIM n ELE a WITHATTRIBS} {%1($a _)}
            {VSIM nokey ELE a WITHSCORES} *0()
            {VSIM n ELE a FILTER 0 WITHSCORES} %0()
            {VSIM n ELE a FILTER 0 WITHSCORES WITHATTRIBS} %0()
        }
    }
    $c close
}
