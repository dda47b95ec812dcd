# Tests and what they can say.
#
#   test "G1: a read waits for what it saw" { assert_equal 1 [r vcard k] }
#
# A failed assertion fails its test and the run goes on; any other error does too, and shows
# where it came from. `skip` leaves a test and counts it as skipped.

set passed 0
set failed 0
set skipped 0
set current_file ""

proc test_failed {name why} {
    global failed current_file
    incr failed
    puts "  FAIL $current_file: $name"
    foreach line [split [string range $why 0 3000] "\n"] { puts "    $line" }
    flush stdout
}

proc test {name body} {
    global passed skipped only verbose
    if {$only ne "" && ![string match $only $name]} return
    if {$verbose} { puts "  $name"; flush stdout }
    set status [catch {uplevel 1 $body} message details]
    if {$status != 1} {
        incr passed
    } elseif {[dict get $details -errorcode] eq "SKIP"} {
        incr skipped
        puts "  SKIP $name: $message"
    } elseif {[dict get $details -errorcode] eq "ASSERTION"} {
        test_failed $name $message
    } else {
        test_failed $name [dict get $details -errorinfo]
    }
}

proc skip {reason} { return -code error -errorcode SKIP $reason }

proc complain {text} { return -code error -errorcode ASSERTION $text }

proc shown {value} { return [string range [string map {\r \\r \n \\n \0 \\0} $value] 0 600] }

proc assert {condition} {
    if {![uplevel 1 [list expr $condition]]} { complain "not so: $condition" }
}

proc assert_equal {wanted got} {
    if {$wanted ne $got} { complain "wanted [shown $wanted]\ngot    [shown $got]" }
}

proc assert_match {pattern got} {
    if {![string match $pattern $got]} { complain "wanted [shown $pattern]\ngot    [shown $got]" }
}

# The body must be answered with an error that matches.
proc assert_error {pattern body} {
    if {![catch {uplevel 1 $body} message]} { complain "wanted an error, got [shown $message]" }
    if {![string match $pattern $message]} {
        complain "wanted the error [shown $pattern]\ngot            [shown $message]"
    }
}

proc wait_for_condition {tries delay condition otherwise} {
    for {set i 0} {$i < $tries} {incr i} {
        if {[uplevel 1 [list expr $condition]]} return
        after $delay
    }
    uplevel 1 $otherwise
}

# Until the server is at `name`, the command that this client has sent.
proc wait_for_command {id name} {
    wait_for_condition 400 5 {[string match "* cmd=$name*" [r client list id $id]]} {
        complain "the server has not met $name"
    }
}

# Until `count` calls of a command are counted.
proc wait_for_calls {name count} {
    wait_for_condition 400 5 {
        [regexp "cmdstat_$name:calls=(\\d+)" [r info commandstats] -> calls] && $calls >= $count
    } { complain "not $count calls of $name" }
}

# The value of a field in the flat list of a map.
proc field {map name} {
    foreach {key value} $map { if {$key eq $name} { return $value } }
    error "no field $name"
}

# A field of INFO.
proc info_field {name} {
    if {![regexp "(?:^|\n)${name}:(\[^\r\n\]*)" [r info] all value]} { return "" }
    return $value
}
