# LOG.INFO, LOG.RANGE, LOG.TRIM: what auditors and operators see of the log, and when its files go.

proc files {pattern} { lsort [glob -nocomplain -tails -directory [srv dir] $pattern] }

proc fill {count} {
    for {set i 0} {$i < $count} {incr i} { r set key[expr {$i % 50}] [string repeat x 1000] }
}

# The commands of an entry.
proc commands {entry} { lindex $entry 3 }

start_server {enable-debug-command local} {
    test "LOG.RANGE shows entries as the commands they are" {
        r set greeting "hello world"
        r vadd v values 3 1 -0.5 0.25 el setattr {{"a":1}} tag 7
        r vtag v el 8
        r vrem v el
        r incrby n -3
        set entries [r log.range 0]
        assert_equal {{SET greeting "hello world"}} [commands [lindex $entries 0]]
        assert_equal {VADD v VALUES 3 1 -0.5 0.25 el Q8 EF 200 M 16 SETATTR "{\"a\":1}" TAG 7} \
            [lindex [commands [lindex $entries 1]] 0]
        assert_equal {{VTAG v el 8}} [commands [lindex $entries 2]]
        assert_equal {{VREM v el}} [commands [lindex $entries 3]]
        assert_equal {{INCRBY n -3}} [commands [lindex $entries 4]]
        for {set i 0} {$i < 5} {incr i} { assert_equal $i [lindex $entries $i 0] }
        assert_equal default [lindex $entries 0 2]
    }
    test "what the texts say can be sent again, and gives the same contents" {
        r flushall
        r set a "x\ny\"z\\ \x01"
        r set b ""
        r set c plain
        r vadd w values 4 0.1 0.2 -0.3 1e-3 "an element"
        r vadd exact values 4 0.1 0.2 -0.3 1e-3 e noquant
        r vadd w values 4 3 4 5 6 other setattr {{"k":"v w"}}
        set digest [r debug digest]
        set texts {}
        foreach entry [r log.range -20 20] { lappend texts {*}[commands $entry] }
        set at [lindex [lsearch -all -exact $texts FLUSHALL] end]
        set c [open "|redis-cli -p [srv port] > /dev/null" w]
        puts $c FLUSHALL
        foreach text [lrange $texts $at+1 end] { if {![string match SEAL* $text]} { puts $c $text } }
        close $c
        assert_equal $digest [r debug digest]
    }
    test "transactions are one entry, and databases are shown" {
        r select 3
        r multi
        r set x 1
        r set y 2
        r exec
        r select 0
        assert_equal {{[3] SET x 1} {[3] SET y 2}} [commands [lindex [r log.range -1] 0]]
    }
    test "SEALs show their root, groups and users are told" {
        r vmadd many fp32 [fp32 1 2 3 4] elements 2 p q
        set sealed [field [r proof.state sync] state_root]
        set entries [r log.range -2]
        assert_match {{VMADD of the next 2} {VADD many VALUES 2 1 2 p *} {VADD many VALUES 2 3 4 q*}} \
            [commands [lindex $entries 0]]
        assert_equal "SEAL $sealed" [lindex [commands [lindex $entries 1]] 0]
    }
    test "by count, from the end, and by time" {
        r set late 1
        set size [field [r log.info] next_sequence]
        assert_equal 3 [llength [r log.range 2 3]]
        assert_equal 2 [lindex [r log.range 2 3] 0 0]
        assert_equal [expr {$size - 1}] [lindex [r log.range -1] 0 0]
        assert_equal {} [r log.range $size]
        assert_equal {} [r log.range 1000000]
        assert_equal {} [r log.range 0 0]
        set all [r log.range 0 1000]
        assert_equal $size [llength $all]
        set from [lindex $all 3 1]
        set to [lindex $all 6 1]
        set wanted {}
        foreach entry $all {
            if {[lindex $entry 1] >= $from && [lindex $entry 1] <= $to} { lappend wanted $entry }
        }
        assert_equal $wanted [r log.range time $from $to]
        assert_equal [lrange $wanted 0 1] [r log.range time $from $to count 2]
        assert_equal $size [llength [r log.range time - +]]
        assert_equal {} [r log.range time 0 1]
        assert_equal {} [r log.range time $to $from]
    }
    test "bad words are refused" {
        assert_error "ERR value is not an integer*" { r log.range x }
        assert_error "ERR value is not an integer*" { r log.range 0 -1 }
        assert_error "ERR value is not an integer*" { r log.range time x + }
        assert_error "ERR syntax error" { r log.range time - }
        assert_error "ERR syntax error" { r log.range time - + limit 1 }
        assert_error "ERR syntax error" { r log.range 0 1 2 }
        assert_error "ERR syntax error" { r log.trim from 1 }
        assert_error "ERR value is not an integer*" { r log.trim to x }
        assert_error "ERR nothing may go*" { r log.trim }
    }
    test "long answers are cut into slices, and PING is answered between them" {
        for {set i 0} {$i < 60} {incr i} {
            r vmadd big fp32 [string repeat [fp32 1.5 -2.25] 64] elements 1 e$i
        }
        set entries [r log.range 0 100000]
        assert_equal [field [r log.info] next_sequence] [llength $entries]
        assert_equal $entries [r log.range 0 100000]
    }
}

start_server {log-segment-size 64kb log-trim no} {
    test "G11: LOG.TRIM waits for two snapshots" {
        fill 200
        set first [lindex [r log.range 0 1] 0]
        r save
        set limit [info_field log_entries]
        assert_error "ERR nothing may go*" { r log.trim }
        fill 200
        r save
        assert_equal $limit [field [r log.info] trim_limit]
        assert_error "ERR two verified snapshots cover only the entries below $limit" \
            { r log.trim to [expr {$limit + 1}] }
        assert_equal 0 [info_field log_first]
        set place [r log.trim to 100]
        wait_for_condition 500 10 {[info_field log_first] == $place} { complain "it did not go" }
        assert {$place > 0 && $place <= 100}
        assert_equal $limit [r log.trim]
        wait_for_condition 500 10 {[info_field log_first] == $limit} { complain "it did not go" }
        assert {"valori-00000001.log" ni [files *.log]}
        assert {"valori-00000001.tree" in [files *.tree]}
        assert_error "ERR the log begins at sequence $limit*" { r log.range 0 }
        assert_equal $limit [lindex [r log.range $limit 1] 0 0]
        assert_equal $limit [lindex [r log.range -100000 1] 0 0]
    }
    test "G12: it starts without them, and all is as it was" {
        set before [list [r get key7] [field [r proof.state sync] state_root] [field [r proof.state] log_root]]
        set info [r log.info]
        restart_server
        assert_equal $before [list [r get key7] [field [r proof.state] state_root] [field [r proof.state] log_root]]
        assert_equal [field $info first_sequence] [info_field log_first]
        fill 10
        kill_server
        assert_match "whole:*" [exec [file join $root build valori-check] log [srv dir]]
        resume_server
    }
}

start_server {log-segment-size 64kb log-keep-size 0} {
    test "G11: by itself the log goes when two snapshots cover it" {
        fill 200
        r save
        fill 200
        assert_equal 0 [info_field log_first]
        set limit [lindex [regexp -inline {valori-0*(\d+)\.snap} [files *.snap]] 1]
        r save
        wait_for_condition 500 10 {[info_field log_first] == $limit} { complain "it did not go" }
        assert {[info_field log_trimmed_segments] > 2}
        assert {[info_field log_trimmed_bytes] > 100000}
    }
    test "CONFIG SET log-trim and log-keep-size" {
        r config set log-trim no
        r config set log-keep-size 100mb
        assert_equal {log-trim no} [r config get log-trim]
        set first [info_field log_first]
        fill 200
        r save
        fill 10
        r config set log-trim yes
        fill 10
        assert_equal $first [info_field log_first]
        r config set log-keep-size 0
        wait_for_condition 500 10 {[info_field log_first] > $first} { complain "it did not go" }
    }
}

set archive [new_directory]
start_server [list log-segment-size 64kb log-keep-size 0 log-archive-dir $archive] {
    test "log-archive-dir keeps what goes" {
        fill 200
        r save
        fill 200
        r save
        wait_for_condition 500 10 {[info_field log_first] > 200} { complain "it did not go" }
        assert {"valori-00000001.log" in [glob -tails -directory $archive *]}
        assert_equal [info_field log_archived_segments] [info_field log_trimmed_segments]
        assert_equal $archive [field [r log.info] archive]
        # Archive and directory together are the whole log.
        set whole [new_directory]
        foreach file [glob $archive/*.log [srv dir]/*.log] { file copy $file $whole }
        kill_server
        assert_match "segments*entries*" [verify_log $whole]
    }
}

start_server {appendonly no} {
    test "without a log there is nothing to show" {
        assert_error "ERR there is no log*" { r log.info }
        assert_error "ERR there is no log*" { r log.range 0 }
        assert_error "ERR there is no log*" { r log.trim }
    }
}
