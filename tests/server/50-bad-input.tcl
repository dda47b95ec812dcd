# Everything that must be refused with a clear error, and must change nothing.

# Both the state and the log are as they were.
proc unchanged {body} {
    set before [r proof.state sync]
    uplevel 1 $body
    assert_equal $before [r proof.state]
}

start_server {} {
    r vadd v values 3 1 2 3 a
    r vcreate l dim 2 metric l2
    test "wrong dimension" {
        unchanged {
            assert_error "ERR Vector dimension mismatch - got 2 but set has 3" {r vadd v values 2 1 2 b}
            assert_error "ERR Vector dimension mismatch - got 4 but set has 3" {r vadd v fp32 [fp32 1 2 3 4] b}
            assert_error "ERR Vector dimension mismatch - got 2 but set has 3" {r vsim v values 2 1 2}
            assert_error "ERR Vector dimension mismatch - got 2 but set has 3" {r vsearch v k 1 values 2 1 2}
        }
    }
    foreach {what bytes} {NaN 0000c07f infinity 0000807f "-infinity" 000080ff} {
        test "$what in a blob" {
            unchanged {
                set blob "[fp32 1 2][binary format H* $bytes]"
                assert_error "ERR invalid vector specification" {r vadd v fp32 $blob b}
                assert_error "ERR invalid vector specification" {r vadd new fp32 $blob b}
                assert_error "ERR invalid vector specification" {r vsim v fp32 $blob}
                assert_equal 0 [r exists new]
            }
        }
    }
    foreach word {nan inf -inf infinity foo "" " 1" "1 " 1e999 1.2.3 --1 1e} {
        test "the number '$word'" {
            unchanged {
                assert_error "ERR invalid vector specification" {r vadd v values 3 1 2 $word b}
            }
        }
    }
    test "numbers that Redis takes are taken" {
        assert_equal 1 [r vadd v values 3 0x10 1e-3 +.5 hex]
        r vrem v hex
    }
    test "out of range, and rounding to zero, where there is no scale" {
        unchanged {
            assert_error "ERR vector component out of range" {r vadd l values 2 1 32768 x}
            assert_error "ERR vector component out of range" {r vadd l fp32 [fp32 1 -40000] x}
            assert_error "ERR vector rounds to zero" {r vadd l values 2 0 0.000001 x}
        }
        assert_equal 1 [r vadd v values 3 1e30 0 0.000001 large]
        r vrem v large
    }
    test "dimensions: 0, 65,537, fewer numbers than announced" {
        unchanged {
            assert_error "ERR invalid vector specification" {r vadd v values 0 b}
            assert_error "ERR invalid vector specification" {r vadd v values 4 1 2 b}
            assert_error "ERR invalid vector specification" {r vadd v values -1 1 b}
            assert_error "ERR invalid vector specification" {r vadd new fp32 [string repeat "\0\0\x80\x3f" 65537] b}
            assert_error "ERR invalid vector specification" {r vadd new values 65537 {*}[lrepeat 65537 1] b}
            assert_error "ERR invalid DIM" {r vcreate new dim 65537}
            assert_error "ERR invalid DIM" {r vcreate new dim 0}
        }
        assert_equal 1 [r vadd new fp32 [string repeat "\0\0\x80\x3f" 65536] b]
        assert_equal 65536 [r vdim new]
        r del new
    }
    test "truncated blobs" {
        unchanged {
            foreach size {0 1 3 5 11} {
                assert_error "ERR invalid vector specification" {r vadd v fp32 [string repeat x $size] b}
            }
            assert_error "ERR wrong number of arguments for 'VADD' command" {r vadd v values 3 1 2 3}
        }
    }
    test "attributes over 64 KiB, names over 64 KiB" {
        unchanged {
            set large [string repeat x 65537]
            assert_error "ERR attribute exceeds 65536 bytes" {r vadd v values 3 1 2 3 b setattr $large}
            assert_error "ERR attribute exceeds 65536 bytes" {r vsetattr v a $large}
            assert_error "ERR attribute exceeds 65536 bytes" {r vmadd v fp32 [fp32 1 2 3] elements 1 b attrs $large}
            assert_error "ERR element name exceeds 65536 bytes" {r vadd v values 3 1 2 3 $large}
            assert_error "ERR key exceeds 65536 bytes" {r vadd $large values 3 1 2 3 b}
            assert_error "ERR key exceeds 65536 bytes" {r vcreate $large dim 3}
            assert_equal 0 [r vismember v $large]
            assert_equal 0 [r exists $large]
        }
    }
    foreach k {0 -1 9223372036854775808 18446744073709551616 -9223372036854775808 foo 1.5 "" 01} {
        test "k and COUNT of '$k'" {
            unchanged {
                assert_error "ERR invalid K" {r vsearch v k $k values 3 1 2 3}
                assert_error "ERR invalid COUNT" {r vsim v values 3 1 2 3 count $k}
            }
        }
    }
    test "options that are wrong, and those of a later release" {
        unchanged {
            foreach {words why} {
                {vadd v values 3 1 2 3 b ef 0} "ERR invalid EF"
                {vadd v values 3 1 2 3 b ef 1000001} "ERR invalid EF"
                {vadd v values 3 1 2 3 b m 3} "ERR invalid M"
                {vadd v values 3 1 2 3 b m 4097} "ERR invalid M"
                {vadd v values 3 1 2 3 b m 8} "ERR asked M value mismatch with existing vector set"
                {vadd v values 3 1 2 3 b noquant} "ERR asked quantization mismatch with existing vector set"
                {vadd v values 3 1 2 3 b foo} "ERR invalid option after element"
                {vadd v values 3 1 2 3 b setattr} "ERR invalid option after element"
                {vadd v values 3 1 2 3 b tag -1} "ERR invalid TAG"
                {vadd v values 3 1 2 3 b bin} "ERR asked quantization mismatch with existing vector set"
                {vadd v values 3 1 2 3 b index hnsw} "ERR invalid option after element"
                {vcreate c dim 3 index tree} "ERR invalid INDEX"
                {vcreate c dim 3 metric foo} "ERR invalid METRIC"
                {vcreate c dim 3 foo 1} "ERR syntax error in VCREATE command"
                {vsim v values 3 1 2 3 foo} "ERR syntax error in VSIM command"
                {vsim v values 3 1 2 3 count} "ERR syntax error in VSIM command"
                {vsim v ele nobody} "ERR element not found in set"
                {vsim v values 3 1 2 3 epsilon 0} "ERR invalid EPSILON"
                {vsim v values 3 1 2 3 epsilon nan} "ERR invalid EPSILON"
                {vsim v values 3 1 2 3 ef 0} "ERR invalid EF"
                {vsearch v k 1 values 3 1 2 3 expand g} "ERR EXPAND is not available in this release"
                {vsearch v k 1 values 3 1 2 3 tag} "ERR invalid TAG"
                {vsearch v k 1 values 3 1 2 3 foo} "ERR syntax error in VSEARCH command"
                {vdim nokey} "ERR key does not exist"
                {flushall foo} "ERR syntax error"
                {proof.state foo} "ERR syntax error"
            } { assert_error $why {r {*}$words} }
        }
    }
    test "every command with one word too few or, where they are counted, too many" {
        foreach entry [r command] {
            lassign $entry name arity
            set words [list $name]
            # Redis tells a wrong EXEC that the transaction is gone, even where there is none.
            set wanted [expr {$name eq "exec" ? "EXECABORT *wrong number of arguments for 'exec' command"
                                              : "ERR wrong number of arguments for '*' command"}]
            set count [expr {$arity < 0 ? -$arity - 1 : $arity - 1}]
            if {$count > 0} {
                while {[llength $words] < $count} { lappend words x }
                assert_error $wanted {r {*}$words}
            }
            if {$arity > 0} {
                assert_error $wanted {r $name {*}[lrepeat $arity x]}
            }
            foreach sub [lindex $entry 9] {
                lassign $sub full sub_arity
                if {$sub_arity < 0 || $name eq "debug"} continue
                assert_error "ERR wrong number of arguments for '$full' command" {
                    r $name [lindex [split $full |] 1] {*}[lrepeat $sub_arity x]
                }
            }
        }
    }
}

# --- Starting -----------------------------------------------------------------------------------

test "bad options are named, exit code 1" {
    foreach {options why} {
        {port 99999} "*port*between*" {port x} "*the command line*--port*parsed into an integer*" {nosuch 1} "*>>> '--nosuch 1'*Bad directive*"
        {appendonly maybe} "*'yes' or 'no'*" {appendfsync often} "*always, everysec, no*"
        {log-segment-size 1} "*log-segment-size*between*"
        {bind 0.0.0.0} "*requirepass*" {bind "127.0.0.1 10.0.0.1"} "*requirepass*"
    } {
        lassign [run_server $options] code err
        assert_equal 1 $code
        assert_match $why $err
    }
}

test "a configuration file, its errors with their line" {
    set path [file join [new_directory] valori.conf]
    write_file $path "# comment\n\nport 0\nmaxclients   77\nrequirepass 'two words'\n"
    set status [catch {exec timeout 1 [server_binary] $path --dir [new_directory]} message]
    assert_match "*Ready to accept*" $message
    write_file $path "port 0\nfoo bar\n"
    catch {exec [server_binary] $path} message
    assert_match "*at line 2*>>> 'foo bar'*Bad directive*" $message
    catch {exec [server_binary] /no/such/file} message
    assert_match "*can't open config file '/no/such/file'*" $message
}

start_server {} {
    r vadd k values 1 1 e
    test "G27: a second server on the same directory: exit 2" {
        lassign [run_server [list dir [srv dir]]] code err
        assert_equal 2 $code
        assert {$err ne ""}
        assert_equal 1 [r vcard k]
    }
    test "a port that is taken: exit 1" {
        lassign [run_server [list dir [new_directory] port [srv port]]] code err
        assert_equal 1 $code
        assert_match "*Failed listening*" $err
    }
}

test "a directory that does not exist, or cannot be written" {
    lassign [run_server {dir /no/such/directory}] code err
    assert {$code in {1 74}}
    assert_match "*no/such/directory*" $err
    set mount [new_directory]
    if {[catch {exec mount -t tmpfs -o ro tmpfs $mount}]} { skip "no mount: not root" }
    lassign [run_server [list dir $mount]] code err
    exec umount $mount
    assert {$code in {1 74}}
    assert {$err ne ""}
}

# Segment files of a directory, first to last.
proc segments {directory} { return [lsort [glob -directory $directory valori-*.log]] }

proc sha256 {bytes} {
    set path [file join $::scratch hashed]
    write_file $path $bytes
    return [binary format H* [lindex [exec sha256sum $path] 0]]
}

start_server {} {
    for {set i 0} {$i < 50} {incr i} { r vadd k values 2 $i 1 e$i }
    r proof.state sync
    stop_server
    set here_segments [segments [srv dir]]
    set first [lindex $here_segments 0]
    set whole [read_file $first]
    test "G9: a future version: exit 4, nothing changed" {
        set head [string replace [string range $whole 0 479] 8 8 "\x02"]
        set bytes "$head[sha256 $head][string range $whole 512 end]"
        write_file $first $bytes
        lassign [run_server [list dir [srv dir]]] code err
        assert_equal 4 $code
        assert_equal $bytes [read_file $first]
        write_file $first $whole
    }
    test "G8: a changed byte in acknowledged data: exit 3, the place, the command that helps, nothing changed" {
        set at [expr {512 + 300}]
        binary scan [string index $whole $at] c byte
        set bytes [string replace $whole $at $at [binary format c [expr {$byte ^ 1}]]]
        write_file $first $bytes
        lassign [run_server [list dir [srv dir]]] code err
        assert_equal 3 $code
        assert_match "*[file tail $first]*" $err
        assert_match "*valori-check*" $err
        assert_equal $bytes [read_file $first]
        write_file $first $whole
    }
    start_server {} {
        r vadd k values 1 1 e
        stop_server
        set foreign [lindex [segments [srv dir]] 0]
        test "G9: a segment of another server: exit 5" {
            set other [lindex $::server_stack end-1]
            set directory [dict get $other dir]
            set name [file join $directory valori-00000002.log]
            file copy $foreign $name
            lassign [run_server [list dir $directory]] code err
            assert_equal 5 $code
            assert {$err ne ""}
            file delete $name
        }
        resume_server
    }
    test "and after all that it starts and has everything" {
        resume_server
        assert_equal 50 [r vcard k]
    }
}

test "G4: a full disk: writes are refused, reads go on, and space brings the writes back" {
    set mount [new_directory]
    if {[catch {exec mount -t tmpfs -o size=2m,mode=0700 tmpfs $mount}]} { skip "no mount: not root" }
    set status [catch {
        start_server [list dir $mount enable-debug-command local] {
            r vadd k values 1 1 first
            write_file [file join $mount ballast] ""
            catch {exec dd if=/dev/zero of=[file join $mount ballast] bs=4k 2>@1}
            set refused ""
            set blob [string repeat "\0\0\x80\x3f" 4096]
            for {set i 0} {$i < 400 && $refused eq ""} {incr i} {
                if {[catch {r vadd big fp32 $blob e$i} message]} { set refused $message }
            }
            assert_equal "MISCONF command log: No space left on device; writes refused until space is available" $refused
            set before [list [r vcard k] [r vcard big] [r proof.content]]
            assert_error "MISCONF*" {r vadd k values 1 2 second}
            assert_error "MISCONF*" {r ping}
            assert_error "MISCONF*" {r flushall}
            r multi
            r vadd k values 1 2 second
            assert_error "EXECABORT Transaction discarded because of: MISCONF*" {r exec}
            assert_equal $before [list [r vcard k] [r vcard big] [r proof.content]]
            assert_equal err [info_field aof_last_write_status]
            file delete [file join $mount ballast]
            wait_for_condition 100 50 {![catch {r vadd k values 1 2 second}]} { complain "writes stay refused" }
            assert_equal PONG [r ping]
            assert_equal OK [r debug verify]
            set state [r proof.state sync]
            kill_server
            resume_server
            assert_equal $state [r proof.state]
            assert_equal 2 [r vcard k]
        }
    } message details]
    catch {exec umount $mount}
    if {$status == 1} { return -options $details $message }
}
