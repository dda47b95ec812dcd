# Servers: a temporary directory and a free port for each, an eye on how they end.
#
#   start_server {appendfsync everysec} { r ping }       `config`: a configuration file
#   restart_server ?option value ...?       stop by SIGTERM and start again, same directory
#   kill_server                             SIGKILL, without a restart
#   r ...                                   a client of the innermost server
#
# A server's standard error is read when it ends: anything a sanitizer, a failed check or a
# panic has written fails the run. So does a log that utils/verify.py does not find whole.

set server_stack {}
set server_number 0

proc server_binary {} {
    global env root
    if {[info exists env(VALORI_SERVER)]} { return $env(VALORI_SERVER) }
    set build build
    if {[info exists env(BUILD)]} { set build $env(BUILD) }
    return [file normalize [file join $root $build valori-server]]
}

# The innermost server's entry, and setting it.
proc srv {name} { return [dict get [lindex $::server_stack end] $name] }
proc srv_set {name value} {
    set server [lindex $::server_stack end]
    dict set server $name $value
    lset ::server_stack end $server
}

proc read_file {path} {
    if {![file exists $path]} { return "" }
    set file [open $path rb]
    set text [read $file]
    close $file
    return $text
}

proc write_file {path bytes} {
    set file [open $path wb]
    puts -nonewline $file $bytes
    close $file
}

proc new_directory {} {
    global scratch server_number
    set directory [file join $scratch "server[incr server_number]"]
    file mkdir $directory
    return $directory
}

proc server_words {options} {
    set words {}
    if {[dict exists $options config]} { lappend words [dict get $options config] }
    foreach {name value} $options {
        if {$name eq "config"} continue
        lappend words --$name {*}[expr {$value eq "" ? [list ""] : $value}]
    }
    return $words
}

# Run a server that is not expected to stay: {exit code, standard error}.
proc run_server {options} {
    set directory [new_directory]
    set err [file join $directory err]
    if {![dict exists $options port]} { lappend options port 0 }
    set status [catch {
        exec timeout 10 [server_binary] {*}[server_words $options] > $directory/out 2> $err
    } message details]
    set code 0
    if {$status} {
        set reason [dict get $details -errorcode]
        set code [expr {[lindex $reason 0] eq "CHILDSTATUS" ? [lindex $reason 2] : $reason}]
    }
    return [list $code [read_file $err]]
}

# Start the process of the innermost server's entry. Without `wait` it may still be loading.
proc server_launch {{wait 1}} {
    global server_number env
    set out [file join [srv logs] "out[incr server_number]"]
    set err [file join [srv logs] "err$server_number"]
    set words [server_words [srv options]]
    if {$::tls} {
        set tls_port [tls_free_port]
        lappend words {*}[server_words [tls_options $tls_port]]
    }
    foreach {name value} [srv environment] { set env($name) $value }
    set channel [open [list | [server_binary] {*}$words > $out 2> $err] w]
    foreach {name value} [srv environment] { unset env($name) }
    if {[dict exists [srv options] logfile]} { set out [dict get [srv options] logfile] }
    srv_set channel $channel
    srv_set pid [pid $channel]
    srv_set out $out
    srv_set err $err
    set wanted [expr {$wait ? {Ready to accept connections on port (\d+)} : {starting, PID \d+, port (\d+)}}]
    wait_for_condition 1000 10 {
        [regexp $wanted [read_file $out] all port] || ![process_lives [srv pid]]
    } { error "the server says nothing: [read_file $err]" }
    if {![info exists port]} { error "the server ended: [read_file $err]" }
    srv_set port $port
    if {$::tls} { set ::tls_ports($port) $tls_port }
}

proc process_lives {pid} {
    return [expr {![catch {read_file /proc/$pid/stat} stat] && $stat ne "" &&
                  [lindex [split [string range $stat [string last ")" $stat]+2 end]] 0] ne "Z"}]
}

# Wait for its end and look at what it left: {exit code or signal, standard error}.
proc server_reap {} {
    if {[srv channel] eq ""} { return [list 0 ""] }
    set code 0
    if {[catch {close [srv channel]} message details]} {
        set reason [dict get $details -errorcode]
        set code [expr {[lindex $reason 0] in {CHILDSTATUS CHILDKILLED} ? [lindex $reason 2] : $reason}]
    }
    srv_set channel ""
    set err [read_file [srv err]]
    if {[regexp {Sanitizer|runtime error:|check failed|panic|Aborted} $err] && ![srv may_panic]} {
        test_failed "sanitizer or failed check in a server" $err
    }
    return [list $code $err]
}

proc client_of_server {} {
    if {[srv client] eq ""} { srv_set client [client_open [srv port]] }
    return [srv client]
}

proc r {args} { return [[client_of_server] {*}$args] }

proc drop_client {} {
    if {[srv client] ne ""} { catch {[srv client] close} }
    srv_set client ""
}

# SIGTERM; five seconds later SIGABRT for a trace, and then SIGKILL.
proc stop_server {} {
    drop_client
    if {[srv channel] eq ""} { return [list 0 ""] }
    set pid [srv pid]
    catch {exec kill -TERM $pid}
    foreach {signal tries} {ABRT 500 KILL 500} {
        for {set i 0} {$i < $tries && [process_lives $pid]} {incr i} { after 10 }
        if {![process_lives $pid]} break
        test_failed "a server does not stop" "SIG$signal was needed"
        catch {exec kill -$signal $pid}
    }
    return [server_reap]
}

proc kill_server {} {
    drop_client
    exec kill -KILL [srv pid]
    return [server_reap]
}

# After a command that ends it: {exit code, standard error}.
proc await_end {} {
    drop_client
    wait_for_condition 1000 10 {![process_lives [srv pid]]} { error "the server goes on" }
    return [server_reap]
}

proc restart_server {args} {
    stop_server
    resume_server {*}$args
}

proc resume_server {args} {
    srv_set options [dict merge [srv options] $args]
    server_launch
}

proc start_server {options body} {
    global server_stack
    set logs [new_directory]
    set directory [file join $logs data]
    set environment {}
    set may_panic 0
    set wait 1
    foreach name {environment may_panic wait} {
        if {[dict exists $options $name]} {
            set $name [dict get $options $name]
            dict unset options $name
        }
    }
    if {![dict exists $options dir]} { file mkdir $directory }
    set options [dict merge [dict create port 0 dir $directory bind 127.0.0.1] $options]
    lappend server_stack [dict create options $options logs $logs dir [dict get $options dir] \
        environment $environment may_panic $may_panic client "" channel ""]
    set status [catch {
        server_launch $wait
        uplevel 1 $body
    } message details]
    set ended [stop_server]
    if {$status != 1 && [catch {verify_log [srv dir]} complaint]} {
        test_failed "the log of a server as utils/verify.py reads it" $complaint
    }
    set server_stack [lrange $server_stack 0 end-1]
    if {$status == 1} { return -options $details $message }
    if {![file exists [file join $logs keep]]} { file delete -force $logs }
    return $ended
}

# Run `body` with the server number `index` of those that are nested, 0 being the outermost, in
# the place of the innermost.
proc at_server {index body} {
    global server_stack
    set end [expr {[llength $server_stack] - 1}]
    swap_servers $index $end
    set status [catch {uplevel 1 $body} message details]
    swap_servers $index $end
    return -options $details $message
}

proc swap_servers {a b} {
    global server_stack
    set kept [lindex $server_stack $a]
    lset server_stack $a [lindex $server_stack $b]
    lset server_stack $b $kept
}

# What utils/verify.py says of a directory, or "" where it has no log or there is no Python.
proc verify_log {directory args} {
    global root
    if {[llength [glob -nocomplain -directory $directory valori-*.log]] == 0} { return "" }
    # Of a log whose beginning has gone it cannot compute the state.
    if {![file exists $directory/valori-00000001.log] &&
        [llength [glob -nocomplain -directory $directory *.snap]] > 0} { return "" }
    if {[catch {exec python3 --version}]} { return "" }
    return [exec python3 [file join $root utils verify.py] {*}$args $directory]
}

# --- What the system can be made to do -------------------------------------------------------

# A library that makes syncs and reads slow or wrong while a file says so; empty without cc.
proc fault_library {} {
    global scratch here
    set library [file join $scratch libfault.so]
    if {[file exists $library]} { return $library }
    if {[catch {exec cc -shared -fPIC -O1 -o $library [file join $here harness fault.c] -ldl}]} {
        return ""
    }
    return $library
}

# Options of start_server for a server with the library; faults are files in $directory.
proc with_faults {directory} {
    return [list environment [list LD_PRELOAD [fault_library] VALORI_FAULTS $directory \
        ASAN_OPTIONS verify_asan_link_order=0]]
}

proc fault {directory name {value 1}} { write_file [file join $directory $name] $value }
proc no_fault {directory name} { file delete [file join $directory $name] }
