# Signed checkpoints, receipts and consistency: what a stranger with the key can check, and what
# the server never signs.

start_server {origin example.com/test} {
    test "G6: the first start makes a key that nobody else can read" {
        wait_for_condition 50 100 {[file exists [key]]} "no key was made"
        assert_equal 00600 [file attributes [file join [srv dir] valori.key] -permissions]
        assert_match "example.com/test+????????+A*" [read_file [key]]
        assert_error "ERR no checkpoint was signed yet" {r proof.checkpoint}
    }
    test "a checkpoint ends in a SEAL, and two verifiers accept it" {
        for {set i 0} {$i < 50} {incr i} { r vadd v values 2 1 $i e$i }
        set note [r proof.checkpoint sync]
        set state [r proof.state]
        assert_equal [expr {[field $state seal_index] + 1}] [checkpoint_size $note]
        set path [check_file $note]
        assert_match "0 checkpoint  size 51 of \"example.com/test\", signed by *[field $state log_root]*" \
            [check note $path --key [key]]
        assert_match "0 right: *" [check_python $path --key [key]]
        assert_equal $note [r proof.checkpoint]
        assert_equal $note [read_file [file join [srv dir] valori.signed]]
    }
    test "openssl verifies it, and no other code" {
        if {[catch {exec openssl version}]} { skip "no openssl" }
        set note [read_file [check_file [r proof.checkpoint]]]
        set parts [split [read_file [key]] +]
        set public [binary decode base64 [string trim [join [lrange $parts 2 end] +]]]
        write_file [set der [check_file ""]] \
            [binary decode hex 302a300506032b6570032100][string range $public 1 end]
        set end [string first "\n\n" $note]
        write_file [set text [check_file ""]] [string range $note 0 $end]
        set signature [binary decode base64 [lindex [split [string trim $note] " "] end]]
        write_file [set sig [check_file ""]] [string range $signature 4 end]
        assert_match "*Success*" [exec openssl pkeyutl -verify -rawin -pubin -keyform DER \
            -inkey $der -in $text -sigfile $sig]
    }
    test "no byte of it can be changed" {
        set note [r proof.checkpoint]
        set size [string length $note]
        for {set i 0} {$i < $size} {incr i 3} {
            set other [expr {[string index $note $i] eq "A" ? "B" : "A"}]
            set path [check_file [string replace $note $i $i $other]]
            assert_match {[35] *WRONG: *} [check note $path --key [key]]
        }
        assert_match "5 *no signature goes by the key's name*" [check note [check_file $note] \
            --key "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"]
    }
    test "a record's proof has the checkpoint, or goes with the SEAL's receipt" {
        set path [check_file [r proof.record v e7 text]]
        assert_match "0 right: *signed by*" [check record $path --key [key] --of v --element e7]
        assert_match "0 right: *" [check_python $path --key [key]]
        r vadd v values 2 1 7 new
        set proof [r proof.record v new]
        set path [check_file [field $proof proof]]
        assert_match "5 *no checkpoint*" [check record $path --key [key]]
        set receipt [check_file [r proof.receipt [field $proof seal_index] wait]]
        assert_match "0 right: *signed by*" [check record $path --key [key] --receipt $receipt]
        set other [check_file [r proof.receipt 3]]
        assert_match "3 *another entry*" [check record $path --key [key] --receipt $other]
    }
    test "receipts of entries" {
        foreach index {0 1 17 50} {
            set path [check_file [r proof.receipt $index wait]]
            assert_match "0 right: entry $index *" [check receipt $path --key [key]]
            assert_match "0 right: *" [check_python $path --key [key]]
        }
        set text [r proof.receipt 17]
        foreach {from to} {"index 17" "index 18" "index 17\n" "index 17\n\n" c2sp C2SP} {
            assert_match {[35] *WRONG*} [check receipt [check_file [string map [list $from $to] $text]]]
        }
        assert_error "ERR no such place*" {r proof.receipt 1000000}
        assert_error "ERR no such place*" {r proof.receipt 1000000 wait}
        r vadd v values 2 1 8 newer
        assert_error "ERR the entry is not signed yet*" \
            {r proof.receipt [expr {[field [r proof.log] log_size] - 1}]}
        assert_equal [field [r proof.provenance v e7] index] [field [r proof.record v e7] index]
    }
    test "VADD with RECEIPT answers with the place of its entry" {
        lassign [r vadd v values 2 5 5 kept receipt] added index
        assert_equal 1 $added
        assert_equal $index [field [r proof.provenance v kept] index]
        assert_match "0 right: entry $index (VADD)*" \
            [check receipt [check_file [r proof.receipt $index wait]] --key [key]]
        assert_equal [list 0 [expr {$index + 2}]] [r vadd v values 2 5 6 kept receipt setattr receipt]
        assert_equal receipt [r vgetattr v kept]
        assert_equal {0 (nil)} [r vadd v values 2 5 6 kept nx receipt]
        r multi
        r vadd v values 2 5 5 more receipt
        assert_match "*ERR RECEIPT is not allowed in a transaction*" [r exec]
    }
    test "the log only grows, and that is proven" {
        set old [r proof.checkpoint sync]
        r vadd v values 2 3 3 more
        set new [r proof.checkpoint sync]
        set proof [lines [r proof.consistency [checkpoint_size $old] [checkpoint_size $new]]]
        set words [list [check_file $old] [check_file $new] [check_file $proof] --key [key]]
        assert_match "0 right: the log of *both are signed*" [check consistency {*}$words]
        set words [list [check_file $new] [check_file $old] [check_file $proof]]
        assert_match "3 *a rollback*" [check consistency {*}$words]
        set changed [string map {a b b c} $proof]
        set words [list [check_file $old] [check_file $new] [check_file $changed]]
        assert_match "3 *two histories*" [check consistency {*}$words]
        assert_equal [field [r proof.log [checkpoint_size $old]] log_size] [checkpoint_size $old]
        foreach words {{0 5} {5 4} {5 1000000}} {
            assert_error "ERR no such place*" {r proof.consistency {*}$words}
        }
    }
    test "G6: kill -9 at any moment, and what was handed out stays true" {
        for {set round 0} {$round < 5} {incr round} {
            for {set i 0} {$i < 20} {incr i} { r vadd v values 2 $i $round k$i }
            set note [r proof.checkpoint sync]
            r vadd v values 2 1 1 unsigned
            kill_server
            resume_server
            wait_for_condition 50 100 {![catch {r proof.checkpoint} now]} "no checkpoint"
            set now [r proof.checkpoint]
            assert {[checkpoint_size $now] >= [checkpoint_size $note]}
            set proof [lines [r proof.consistency [checkpoint_size $note] [checkpoint_size $now]]]
            set words [list [check_file $note] [check_file $now] [check_file $proof] --key [key]]
            assert_match "0 right*" [check consistency {*}$words]
        }
    }
    test "a witness adds its signature" {
        if {[catch {exec python3 --version}]} { skip "no python3" }
        set witness tests/server/harness/witness.py
        set name [exec python3 $witness key witness.example]
        set note [r proof.checkpoint sync]
        set path [check_file $note]
        exec python3 $witness sign witness.example 1700000000 < $path > $path.line
        set line [read_file $path.line]
        assert_error "ERR the line is of no key that the option witnesses has" {r proof.cosign $line}
        r config set witnesses $name
        assert_equal OK [r proof.cosign $line]
        assert_equal OK [r proof.cosign $line]
        set path [check_file [r proof.checkpoint]]
        assert_match "0 *witness     witness.example saw it by 1700000000*" \
            [check note $path --key [key] --witness $name]
        assert_match "5 *" [check note [check_file $note] --key [key] --witness $name]
        assert_error "ERR not a cosignature of the newest checkpoint" \
            {r proof.cosign [string replace $line 60 60 !]}
        assert_error "ERR CONFIG SET failed*" {r config set witnesses nonsense}
    }
    test "G6: a log from an old backup is not signed" {
        r proof.checkpoint sync
        stop_server
        set backup [file join [srv dir] .. backup]
        file copy [srv dir] $backup
        resume_server
        r vadd v values 2 5 5 later
        set note [r proof.checkpoint sync]
        stop_server
        file delete {*}[glob [file join [srv dir] valori-*.log]]
        foreach path [glob [file join $backup valori-*.log]] {
            file copy -force $path [srv dir]
        }
        file copy -force [file join $backup valori.head] [srv dir]
        resume_server
        assert_error "ERR checkpoints are not signed: the log is shorter than the last*" \
            {r proof.checkpoint}
        for {set i 0} {$i < 20} {incr i} { r vadd v values 2 9 9 fork$i }
        restart_server
        assert_error "ERR checkpoints are not signed: the log has another history*" \
            {r proof.checkpoint sync}
        assert_equal $note [read_file [file join [srv dir] valori.signed]]
    }
}

start_server {checkpoint-interval 0} {
    test "nothing is signed where nobody wants it" {
        r set a 1
        assert_error "ERR checkpoints are not signed here*" {r proof.checkpoint sync}
        assert_equal 0 [file exists [key]]
    }
}
