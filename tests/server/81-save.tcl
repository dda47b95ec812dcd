# SAVE, BGSAVE and the option `save`: a snapshot of one moment, and a start from it.

proc snapshots {} { lsort [glob -nocomplain -directory [srv dir] *.snap] }

proc saved {} { expr {[info_field rdb_bgsave_in_progress] == 0} }

proc fill {from count} {
    for {set i $from} {$i < $from + $count} {incr i} {
        r vadd flat values 4 $i 1 [expr {$i * $i}] -2 e$i setattr "{\"n\":$i}" tag [expr {$i % 3}]
        r vadd words values 4 $i [expr {$i % 7}] 3 1 w$i
        if {$i % 5 == 0} { r vrem words w[expr {$i - $from / 2}] }
    }
}

proc seen {} {
    set answers [list [r keys *] [r vcard flat] [r vinfo words] \
        [r vsim flat values 4 1 2 3 4 withscores withattribs count 20] \
        [r vsim words values 4 5 2 3 1 withscores count 20] \
        [r vsearch flat k 5 values 4 1 2 3 4 tag 1] [r get greeting]]
    for {set i 0} {$i < 300} {incr i 13} { lappend answers [r vlinks words w$i withscores] }
    return $answers
}

start_server {enable-debug-command local} {
    test "SAVE answers when the snapshot is on the disk" {
        r set greeting hello
        fill 0 300
        assert_equal OK [r save]
        assert_equal 1 [llength [snapshots]]
        assert_equal 1 [info_field rdb_saves]
        assert_equal ok [info_field rdb_last_bgsave_status]
        assert_equal 0 [info_field rdb_changes_since_last_save]
        assert {[info_field snapshot_bytes] == [file size [lindex [snapshots] 0]]}
        assert {abs([r lastsave] - [clock seconds]) < 60}
        assert_equal [r lastsave] [info_field rdb_last_save_time]
    }
    test "BGSAVE answers at once, and what is written meanwhile is not in it" {
        fill 300 25
        assert_equal "Background saving started" [r bgsave]
        fill 325 25
        wait_for_condition 1000 10 {[saved]} { error "it is not saved" }
        assert_equal 2 [info_field rdb_saves]
        assert_equal 2 [llength [snapshots]]
        assert {[info_field rdb_changes_since_last_save] > 0}
        r bgsave schedule
        wait_for_condition 1000 10 {[saved]} { error "it is not saved" }
        assert_equal 2 [llength [snapshots]]
    }
    test "G12: a start loads it, and all answers are the same" {
        fill 400 30
        set before [seen]
        set state [r proof.state sync]
        kill_server
        resume_server
        assert_equal $before [seen]
        assert_equal $state [r proof.state]
        assert {[info_field recovery_snapshot_entries] > 600}
        assert {[info_field recovery_entries] < 200}
        assert_equal OK [r debug verify]
        assert_match "*Snapshot of*entries*" [read_file [srv out]]
    }
    test "G12: a damaged snapshot is passed over, with a warning that names it" {
        set before [seen]
        set state [r proof.state sync]
        set newest [lindex [snapshots] end]
        set file [open $newest r+b]
        seek $file 5000
        puts -nonewline $file "damage"
        close $file
        kill_server
        resume_server
        assert_equal $before [seen]
        assert_equal $state [r proof.state]
        assert_match "*[file tail $newest] is passed over: it is damaged*" [read_file [srv out]]
        assert_match "*[file tail $newest]*" [info_field recovery_snapshot_warning]
    }
    test "DEBUG RELOAD goes through the snapshot" {
        set before [seen]
        assert_equal OK [r debug reload]
        assert_equal $before [seen]
        assert_equal OK [r save]
    }
    test "words that SAVE and BGSAVE do not know" {
        assert_error "ERR syntax error" {r bgsave foo}
        assert_error "ERR wrong number of arguments*" {r save foo}
        assert_error "ERR wrong number of arguments*" {r lastsave foo}
        r multi
        assert_error "*not allowed*" {r save}
        assert_error "EXECABORT*" {r exec}
    }
    test "the option save: pairs, and nothing else" {
        assert_equal {save {300 1}} [r config get save]
        foreach words {300 {300 x} {0 1} {-1 5} {1 2 3}} {
            assert_error "*Invalid save parameters*" {r config set save $words}
        }
        r config set save "3600 1 300 100"
        assert_equal {save {3600 1 300 100}} [r config get save]
        set saves [info_field rdb_saves]
        r config set save "1 5"
        fill 500 20
        wait_for_condition 1000 10 {[info_field rdb_saves] > $saves && [saved]} {
            error "it is not saved"
        }
        assert_equal 0 [info_field rdb_changes_since_last_save]
        r config set save ""
        assert_equal {save {}} [r config get save]
    }
    test "SHUTDOWN SAVE leaves a snapshot of all there is" {
        fill 600 20
        set state [r proof.state sync]
        r send shutdown save
        await_end
        resume_server
        assert_equal $state [r proof.state]
        assert_equal 0 [info_field recovery_entries]
        r send shutdown nosave
        await_end
        resume_server
        assert_equal $state [r proof.state]
    }
}

start_server {appendonly no} {
    test "without a log there is nothing to bind a snapshot to" {
        assert_error "ERR snapshots need appendonly yes" {r save}
        assert_error "ERR snapshots need appendonly yes" {r bgsave}
        assert {[r lastsave] > 0}
    }
}
