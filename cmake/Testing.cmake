# How tests are declared. What a test program needs around it (a Wine prefix, the installed service,
# the sanitizers' options) is arranged here, so that tests/ only names programs.
#
#   hbk_add_native_test(NAME name TARGET target [ARGS …] [TIMEOUT s] [LABELS …])
#
#       Runs a program that needs nothing but itself, with sanitizer findings fatal. In a Windows
#       build the same program runs as a Windows test without the service.
#
#   hbk_add_windows_test(NAME name TARGET target [SERVICE] [ARGS …] [TIMEOUT s] [LABELS …])
#
#       Runs a Windows executable: directly on Windows, in the build's private Wine prefix on Linux.
#       With SERVICE the built service is installed and running under the Service Control Manager;
#       such tests never run side by side, for there is one service.
#
#   hbk_add_script_test(NAME name SCRIPT file [WINE] [SERVICE] [ARGS …] [TIMEOUT s] [LABELS …])
#
#       Runs a bash script. WINE and SERVICE as above; a script with WINE that installs the service
#       by itself must not say SERVICE, and still runs alone.

# Findings end the program.
set(HBK_SANITIZER_OPTIONS
    "ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
    "UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1"
)
set(HBK_TEST_TIMEOUT 60) # seconds, unless a test names its own
set(HBK_WINE_DIR ${CMAKE_SOURCE_DIR}/tests/wine)
set(HBK_WINE_PREFIX ${CMAKE_BINARY_DIR}/wine)

if(WIN32)
    if(CMAKE_HOST_WIN32)
        # Git's bash by its place: the bash that Windows finds first may be that of WSL, which is
        # another machine.
        find_program(HBK_BASH bash PATHS "$ENV{ProgramFiles}/Git/bin" NO_DEFAULT_PATH REQUIRED)
    else()
        find_program(HBK_BASH bash REQUIRED)
        # Also how a built program is run by hand or by a build step. Each target takes its value
        # from here when it is added, so this stands before the first of them.
        set(CMAKE_CROSSCOMPILING_EMULATOR "${HBK_BASH};${HBK_WINE_DIR}/run.sh;${HBK_WINE_PREFIX}")
    endif()
else()
    find_program(HBK_BASH bash REQUIRED)
endif()

# The prefix and the service are ctest fixtures: set up once for all tests that need them, before the
# first, and taken down after the last, also when tests fail or when only one test is asked for.
function(hbk_add_fixtures)
    if(NOT WIN32)
        return()
    endif()
    set(needs_wine)
    if(NOT CMAKE_HOST_WIN32)
        set(needs_wine FIXTURES_REQUIRED wine_prefix)
        add_test(NAME wine.start COMMAND ${HBK_BASH} ${HBK_WINE_DIR}/prefix.sh start ${HBK_WINE_PREFIX})
        add_test(NAME wine.stop COMMAND ${HBK_BASH} ${HBK_WINE_DIR}/prefix.sh stop ${HBK_WINE_PREFIX})
        set_tests_properties(wine.start PROPERTIES FIXTURES_SETUP wine_prefix TIMEOUT 600)
        set_tests_properties(wine.stop PROPERTIES FIXTURES_CLEANUP wine_prefix TIMEOUT 60)
    endif()
    foreach(action install start remove)
        add_test(
            NAME service.${action}
            COMMAND ${HBK_BASH} ${HBK_WINE_DIR}/service.sh ${CMAKE_BINARY_DIR} ${action}
        )
        set_tests_properties(
            service.${action} PROPERTIES TIMEOUT 120 RESOURCE_LOCK hbk_service ${needs_wine}
        )
    endforeach()
    set_tests_properties(service.install service.start PROPERTIES FIXTURES_SETUP service)
    set_tests_properties(service.start PROPERTIES DEPENDS service.install)
    set_tests_properties(service.remove PROPERTIES FIXTURES_CLEANUP service)
endfunction()

# Properties that every test of a build for Windows gets.
function(hbk_set_windows_properties name service exclusive timeout labels)
    set(fixtures)
    if(NOT CMAKE_HOST_WIN32)
        list(APPEND fixtures wine_prefix)
        # A little before ctest's own limit, which would swallow what the program had written.
        math(EXPR run_timeout "${timeout} - 5")
        set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT HBK_RUN_TIMEOUT=${run_timeout})
    endif()
    if(service)
        list(APPEND fixtures service)
    endif()
    if(service OR exclusive)
        set_property(TEST ${name} PROPERTY RESOURCE_LOCK hbk_service)
        # Handle counts are compared and deadlines are measured: no neighbours.
        set_property(TEST ${name} PROPERTY RUN_SERIAL ON)
    endif()
    set_property(TEST ${name} PROPERTY FIXTURES_REQUIRED ${fixtures})
    set_property(TEST ${name} PROPERTY TIMEOUT ${timeout})
    set_property(TEST ${name} PROPERTY LABELS ${labels})
endfunction()

macro(hbk_parse_test_arguments function options)
    cmake_parse_arguments(arg "${options}" "NAME;TARGET;SCRIPT;TIMEOUT" "ARGS;LABELS" ${ARGN})
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME)
        message(FATAL_ERROR "${function}: a NAME is missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT ${HBK_TEST_TIMEOUT})
    endif()
    if(arg_TIMEOUT LESS 10)
        message(FATAL_ERROR "${function}: a TIMEOUT of ${arg_TIMEOUT} s would fail on a busy machine")
    endif()
endmacro()

function(hbk_add_windows_test)
    hbk_parse_test_arguments(hbk_add_windows_test "SERVICE" ${ARGN})
    if(NOT WIN32)
        message(FATAL_ERROR "hbk_add_windows_test(${arg_NAME}): this is not a build for Windows")
    endif()
    # ctest puts the target's emulator in front by itself.
    add_test(NAME ${arg_NAME} COMMAND ${arg_TARGET} ${arg_ARGS})
    hbk_set_windows_properties(
        ${arg_NAME} "${arg_SERVICE}" OFF ${arg_TIMEOUT} "windows;${arg_LABELS}"
    )
endfunction()

function(hbk_add_native_test)
    hbk_parse_test_arguments(hbk_add_native_test "" ${ARGN})
    if(WIN32)
        hbk_add_windows_test(${ARGV})
        return()
    endif()
    add_test(NAME ${arg_NAME} COMMAND ${arg_TARGET} ${arg_ARGS})
    set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "native;${arg_LABELS}")
    set_property(TEST ${arg_NAME} PROPERTY ENVIRONMENT ${HBK_SANITIZER_OPTIONS})
endfunction()

function(hbk_add_script_test)
    hbk_parse_test_arguments(hbk_add_script_test "WINE;SERVICE" ${ARGN})
    get_filename_component(script ${arg_SCRIPT} ABSOLUTE)
    add_test(NAME ${arg_NAME} COMMAND ${HBK_BASH} ${script} ${arg_ARGS})
    if(WIN32 AND (arg_WINE OR arg_SERVICE))
        hbk_set_windows_properties(
            ${arg_NAME} "${arg_SERVICE}" ON ${arg_TIMEOUT} "windows;${arg_LABELS}"
        )
    else()
        set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
    endif()
endfunction()

hbk_add_fixtures()
