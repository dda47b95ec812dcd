# VCREATE .. SCHEMA: indexed fields change how long a filtered search takes, never its answer.

start_server {} {
    test "what a schema may be" {
        foreach words {
            {} {x} {x text} {"" number} {a.b number} {a number a string}
            {a number b number c number d number e number f number g number h number i number}
        } { assert_error "ERR *" [list r vcreate bad dim 2 schema {*}$words] }
        assert_error "ERR invalid SCHEMA" [list r vcreate bad dim 2 schema [string repeat x 31] number]
        assert_error "ERR invalid SCHEMA" {r vcreate bad dim 2 schema a number schema b number}
        assert_equal 0 [r exists bad]
        assert_equal OK [r vcreate most dim 2 schema a number b string c number d number e number f number g string [string repeat x 30] number m 8]
        assert_equal OK [r vcreate s dim 4 schema year number kind string index hnsw]
        r vcreate plain dim 4
    }
    proc attributes {i} {
        switch [expr {$i % 17}] {
            3 { return "{\"year\":\"[expr {1900 + $i % 120}]\",\"kind\":7,\"x\":$i}" }
            5 { return "{\"kind\":\"k[expr {$i % 9}]\",\"x\":$i}" }
            7 { return "not json" }
            11 { return "{\"year\":null,\"kind\":\[1],\"x\":$i}" }
            default { return "{\"year\":[expr {1900 + $i % 120}],\"kind\":\"k[expr {$i % 9}]\",\"x\":$i}" }
        }
    }
    proc put {i attributes} {
        foreach key {s plain} {
            r vadd $key values 4 [expr {sin($i)}] [expr {cos($i * 3)}] [expr {sin($i * 7)}] [expr {cos($i * 11)}] e$i setattr $attributes
        }
    }
    set filters {
        {.year == 1950} {.year > 2015} {.year >= 1950 and .year < 1953} {1990 < .year} {.year in [1901, "1902", 1903]}
        {.kind == "k4"} {.kind == "k4" and .year < 1960} {.kind in ["k1", "k8"] and .x > 100} {"k2" == .kind}
        {.year != 1950} {.year > 1900 or .x < 3} {not (.year > 1990)} {.year > 1950 and .year < 1940} {.year in []}
        {.year == "1950"} {.kind == 7} {.year == null} {.kind and .year} {.missing == 1 and .year == 1950} {.year % 10 == 3 and .kind == "k3"}
        {.year > -1e300} {.year <= 1e999} {.x == 77 and .year > 0} {.year == 1950 and (.kind == "k1" or .kind == "k2")}
    }
    proc compare {filters} {
        foreach filter $filters {
            foreach seed {1 2 3} {
                set query [list values 4 [expr {sin($seed)}] 1 [expr {cos($seed)}] -1]
                set wanted [r vsearch plain k 12 {*}$query filter $filter exact withscores]
                assert_equal $wanted [r vsearch s k 12 {*}$query filter $filter exact withscores]
                set count [llength $wanted]
                assert_equal $count [llength [r vsearch s k 12 {*}$query filter $filter]]
            }
        }
    }
    test "the same answers with and without" {
        for {set i 0} {$i < 3000} {incr i} { put $i [attributes $i] }
        compare $filters
    }
    test "after changes of attributes, removals and a restart" {
        for {set i 0} {$i < 3000} {incr i 3} { foreach key {s plain} { r vsetattr $key e$i [attributes [expr {$i * 7 + 1}]] } }
        for {set i 0} {$i < 3000} {incr i 4} { foreach key {s plain} { r vrem $key e$i } }
        for {set i 0} {$i < 3000} {incr i 9} { foreach key {s plain} { r vsetattr $key e$i "" } }
        for {set i 0} {$i < 900} {incr i 8} { put $i [attributes [expr {$i + 5}]] }
        compare $filters
        r proof.state sync
        restart_server
        compare $filters
    }
    test "tags are asked besides" {
        r vtag s e10 4
        r vsetattr s e10 {{"year":1950}}
        assert_equal {e10} [r vsearch s k 5 values 4 1 1 1 1 tag 4 filter {.year == 1950}]
        assert_equal {} [r vsearch s k 5 values 4 1 1 1 1 tag 5 filter {.year == 1950}]
    }
    test "a collection with a schema goes like any other" {
        assert_equal 1 [r del s]
        assert_equal 1 [r del most]
        assert_equal PONG [r ping]
    }
}

start_server {} {
    test "the log of a collection with a schema, decided again in Python" {
        r vcreate s dim 2 schema year number kind string
        for {set i 0} {$i < 20} {incr i} { r vadd s values 2 1 $i e$i setattr "{\"year\":$i}" }
        r vrem s e3
        verify_log [srv dir]
    }
}
