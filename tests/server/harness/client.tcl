# A RESP client, small and blocking, that can also send now and read later.
#
#   set c [client_open $port]
#   $c ping                 send, read the reply; an error reply is a Tcl error
#   $c send get x           send only          $c read    the next reply
#   $c raw "PING\r\n"       any bytes          $c line    one line as it came
#   $c take 5               so many bytes      $c eof     true if the server closes
#   $c waits 200            true if no byte comes for so many milliseconds
#   $c close
#
# Null is "(nil)", true and false are 1 and 0, maps are flat lists, an error inside an array is
# "(error) text".

set client_count 0

proc client_open {port} {
    set channel [expr {[info exists ::tls_ports($port)] ? [tls_channel $::tls_ports($port)] : [socket 127.0.0.1 $port]}]
    return [client_of_channel $channel]
}

# The same over a channel that is there already.
proc client_of_channel {channel} {
    global client_count client_channel
    fconfigure $channel -translation binary -blocking 1 -buffering full
    set name "client[incr client_count]"
    set client_channel($name) $channel
    interp alias {} $name {} client_call $name
    return $name
}

proc client_call {name word args} {
    global client_channel
    set channel $client_channel($name)
    switch -- $word {
        send { client_send $channel $args }
        read { return [client_value [client_read $channel]] }
        raw { puts -nonewline $channel [lindex $args 0]; flush $channel }
        line { return [client_line $channel] }
        take { return [read $channel [lindex $args 0]] }
        eof { return [expr {[catch {read $channel 1} byte] || ($byte eq "" && [eof $channel])}] }
        waits { return [client_waits $channel [lindex $args 0]] }
        channel { return $channel }
        close {
            catch {close $channel}
            unset client_channel($name)
            interp alias {} $name {}
        }
        default {
            client_send $channel [linsert $args 0 $word]
            return [client_value [client_read $channel]]
        }
    }
}

proc client_encode {words} {
    set bytes "*[llength $words]\r\n"
    foreach word $words { append bytes "\$[string length $word]\r\n$word\r\n" }
    return $bytes
}

proc client_send {channel words} {
    puts -nonewline $channel [client_encode $words]
    flush $channel
}

proc client_line {channel} {
    if {[gets $channel line] < 0} { error "the server closed the connection" }
    return [string trimright $line "\r"]
}

# A pair: whether it is an error, and the value.
proc client_read {channel} {
    set line [client_line $channel]
    set rest [string range $line 1 end]
    switch -- [string index $line 0] {
        + - : - , - ( { return [list 0 $rest] }
        - { return [list 1 $rest] }
        _ { return [list 0 "(nil)"] }
        # { return [list 0 [expr {$rest eq "t"}]] }
        $ - = {
            if {$rest == -1} { return [list 0 "(nil)"] }
            set bytes [read $channel $rest]
            read $channel 2
            if {[string index $line 0] eq "="} { set bytes [string range $bytes 4 end] }
            return [list 0 $bytes]
        }
        * - ~ - > - % {
            if {$rest == -1} { return [list 0 "(nil)"] }
            if {[string index $line 0] eq "%"} { set rest [expr {2 * $rest}] }
            set items {}
            for {set i 0} {$i < $rest} {incr i} {
                lassign [client_read $channel] failed item
                if {$failed} { set item "(error) $item" }
                lappend items $item
            }
            return [list 0 $items]
        }
        default { error "no RESP reply: $line" }
    }
}

proc client_value {reply} {
    lassign $reply failed value
    if {$failed} { return -code error -errorcode RESP $value }
    return $value
}

proc client_waits {channel milliseconds} {
    global client_waited
    set client_waited ""
    if {[chan pending input $channel] > 0} { return 0 }
    set timer [after $milliseconds {set client_waited time}]
    fileevent $channel readable {set client_waited byte}
    vwait client_waited
    fileevent $channel readable {}
    after cancel $timer
    return [expr {$client_waited eq "time"}]
}

proc clients_close {} {
    global client_channel
    foreach name [array names client_channel] { $name close }
}

# --- Vectors -----------------------------------------------------------------------------

# binary32 little-endian
proc fp32 {args} { return [binary format r* $args] }
