# --restore: an empty directory from a snapshot, and from segments up to a place.

proc fill {from count} {
    for {set i $from} {$i < $from + $count} {incr i} { r set key$i [string repeat v 600]$i }
    r vadd vectors values 3 $from 1 2 e$from
}

# What valori-server says when it is started so, and does not serve.
proc refused {args} {
    set status [catch {exec [server_binary] --port 0 {*}$args 2>@1} output options]
    assert {$status == 1}
    return "[lindex [dict get $options -errorcode] 2] $output"
}

set backup [new_directory]
start_server {log-segment-size 64kb log-trim no} {
    set source [srv dir]
    fill 0 150
    r save
    set first [glob $source/*.snap]
    file copy $first $backup/first.snap
    fill 150 150
    set middle [info_field log_entries]
    set middle_time [lindex [r log.range -1] 0 1]
    set middle_root [field [r proof.state] log_root]
    after 20
    fill 300 150
    r proof.state sync
    set last [r proof.state]
    kill_server
    file mkdir $backup/log
    foreach file [glob $source/*.log] { file copy $file $backup/log }
}

start_server [list restore $backup/first.snap] {
    test "a snapshot alone is a backup" {
        assert_match "*Restored * entries into *" [read_file [srv out]]
        assert_equal [string repeat v 600]149 [r get key149]
        assert_equal (nil) [r get key150]
        assert_equal 1 [r vcard vectors]
        assert {[info_field log_first] > 150}
        fill 500 10
        set after [r proof.state sync]
    }
    test "it goes on from there, as any other" {
        kill_server
        srv_set options [dict remove [srv options] restore]
        resume_server
        assert_equal $after [r proof.state]
        r save
        fill 510 10
        r save
        restart_server
        assert_equal 3 [r vcard vectors]
    }
}

start_server [list restore $backup/first.snap log $backup/log] {
    test "with the segments behind it all comes back" {
        assert_equal $last [r proof.state]
        assert_equal [string repeat v 600]449 [r get key449]
    }
}

start_server [list restore $backup/first.snap log $backup/log to [expr {$middle - 1}]] {
    test "up to a sequence" {
        assert_equal $middle [info_field log_entries]
        assert_equal $middle_root [field [r proof.state] log_root]
        assert_equal [string repeat v 600]299 [r get key299]
        assert_equal (nil) [r get key300]
    }
}

set place @[string range $middle_time 0 end-6].[string range $middle_time end-5 end]
start_server [list restore $backup/first.snap log $backup/log to $place] {
    test "up to a time" {
        assert_equal $middle [info_field log_entries]
        assert_equal $middle_root [field [r proof.state] log_root]
    }
}

test "what cannot be restored is refused, and nothing is left" {
    set directory [new_directory]
    set restore [list --dir $directory --restore $backup/first.snap]
    assert_match "1 FATAL config: directory $backup/log is not empty*" \
        [refused --dir $backup/log --restore $backup/first.snap]
    assert_match "1 *cannot open nothing.snap*" [refused --dir $directory --restore $backup/nothing.snap]
    assert_match "1 *--to needs --log*" [refused {*}$restore --to 5]
    assert_match "1 *--to wants a sequence*" [refused {*}$restore --log $backup/log --to yesterday]
    assert_match "1 *nothing stands behind --log*" [refused {*}$restore --log]
    assert_match "1 *take an older one*" [refused {*}$restore --log $backup/log --to 10]
    assert_match "1 *take an older one*" [refused {*}$restore --log $backup/log --to @1000]
    assert_match "1 *the log ends before sequence*" [refused {*}$restore --log $backup/log --to 1000000]
    set bytes [read_file $backup/first.snap]
    foreach place {100 5000 20000 end} {
        set at [expr {$place eq "end" ? [string length $bytes] - 100 : $place}]
        scan [string index $bytes $at] %c byte
        write_file $backup/damaged.snap [string replace $bytes $at $at [format %c [expr {$byte ^ 1}]]]
        assert_match "3 *" [refused --dir $directory --restore $backup/damaged.snap]
    }
    write_file $backup/damaged.snap [string range $bytes 0 30000]
    assert_match "3 *" [refused --dir $directory --restore $backup/damaged.snap]
    foreach file [glob -nocomplain $directory/*] {
        assert {[string match *.tmp $file] || [string match *valori.lock $file]}
    }
}
