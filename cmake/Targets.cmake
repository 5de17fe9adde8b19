# How every target of the project is compiled and linked.

option(HBK_WERROR "Treat compiler warnings as errors" ON)
set(HBK_SANITIZE "" CACHE STRING "Sanitizers for native builds, as for -fsanitize=")
option(HBK_ANALYZE "Let gcc look for faults along paths; for what needs no build but a verdict" OFF)
option(HBK_COVERAGE "Count what is executed, as clang does it: tests/coverage reads the counts" OFF)

# Equal sources give equal bytes, wherever the tree, the build and the libraries stand: asserts and what debuggers read
# name them like this. The last one that fits counts, and the others often lie in the first.
set(HBK_PREFIX_MAPS -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
    # Packages name their headers by it, whatever links led there.
    file(REAL_PATH ${prefix} real)
    list(APPEND HBK_PREFIX_MAPS -ffile-prefix-map=${prefix}=libraries -ffile-prefix-map=${real}=libraries)
endforeach()

# hbk_configure_target(TARGET)
#
# Every library and executable of the project calls this once, right after it is added.
function(hbk_configure_target target)
    set_target_properties(
        ${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
    )
    if(WIN32)
        # 0x0A00: Windows 10 and later.
        target_compile_definitions(
            ${target} PRIVATE UNICODE _UNICODE WIN32_LEAN_AND_MEAN NOMINMAX _WIN32_WINNT=0x0A00
        )
    endif()
    if(MSVC)
        hbk_configure_msvc(${target})
    else()
        hbk_configure_gnu(${target})
    endif()
endfunction()

# cl, and clang-cl which takes the same flags.
function(hbk_configure_msvc target)
    # The secure-CRT warnings ask for functions that no other compiler has.
    target_compile_definitions(${target} PRIVATE _CRT_SECURE_NO_WARNINGS _CRT_NONSTDC_NO_WARNINGS)
    # 4204, 4221: initialisers that are standard since C99. 4127: conditions that a macro makes constant.
    target_compile_options(
        ${target}
        PRIVATE /W4 /utf-8 /guard:cf /wd4204 /wd4221 /wd4127 $<$<BOOL:${HBK_WERROR}>:/WX>
    )
    target_link_options(
        ${target}
        PRIVATE
        /DYNAMICBASE
        /NXCOMPAT
        $<$<EQUAL:${CMAKE_SIZEOF_VOID_P},8>:/HIGHENTROPYVA>
        /guard:cf
        /CETCOMPAT
        /Brepro
        # What CMake asks for in RelWithDebInfo is kept by times.
        /INCREMENTAL:NO
    )
    if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
        list(TRANSFORM HBK_PREFIX_MAPS PREPEND /clang: OUTPUT_VARIABLE maps)
        target_compile_options(${target} PRIVATE /Brepro ${maps})
    else()
        file(TO_NATIVE_PATH ${CMAKE_SOURCE_DIR} root)
        target_compile_options(${target} PRIVATE /experimental:deterministic "/pathmap:${root}=.")
    endif()
endfunction()

function(hbk_configure_gnu target)
    target_compile_options(
        ${target}
        PRIVATE -Wall
                -Wextra
                -Wpedantic
                -Wconversion
                -Wshadow
                $<$<BOOL:${HBK_WERROR}>:-Werror>
                -fstack-protector-strong
                # What Wine's debugger and the valgrind of Debian 12 can read.
                -gdwarf-4
                ${HBK_PREFIX_MAPS}
    )
    if(MINGW)
        # C11's printf formats (%zu, %lld) rather than those of the old Microsoft runtime.
        target_compile_definitions(${target} PRIVATE __USE_MINGW_ANSI_STDIO=1)
        # -static: no DLL of the compiler's (libgcc, libssp) beside the executables.
        target_link_options(
            ${target}
            PRIVATE
            -static
            # mingw has the stack protector in a library of its own, which this adds.
            -fstack-protector-strong
            -Wl,--dynamicbase
            -Wl,--nxcompat
            # An address of 32 bits has no room for it.
            $<$<EQUAL:${CMAKE_SIZEOF_VOID_P},8>:-Wl,--high-entropy-va>
            -Wl,--no-insert-timestamp
        )
    endif()
    if(HBK_SANITIZE)
        set(flags -fsanitize=${HBK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_compile_options(${target} PRIVATE ${flags})
        target_link_options(${target} PRIVATE ${flags})
    endif()
    if(HBK_ANALYZE)
        # For builds that are not optimised: what it could follow is gone by then. memcpy is left a call, as
        # gcc 12 takes what it makes of it for reads of what nobody wrote.
        target_compile_options(${target} PRIVATE -fanalyzer -fno-builtin-memcpy)
    endif()
    if(HBK_COVERAGE)
        # Counters are set before the optimizer runs, so the counts are those of the source.
        set(flags -fprofile-instr-generate -fcoverage-mapping)
        target_compile_options(${target} PRIVATE ${flags})
        target_link_options(${target} PRIVATE ${flags})
    endif()
endfunction()

# hbk_use_wmain(TARGET)
#
# For an executable whose entry point is wmain(int, wchar_t **). Microsoft's linker finds that out by
# itself; mingw's start-up code has to be asked.
function(hbk_use_wmain target)
    if(MINGW)
        target_link_options(${target} PRIVATE -municode)
    endif()
endfunction()

# hbk_add_resources(TARGET FILE DESCRIPTION MESSAGES)
#
# What every executable or DLL that is shipped has in it: its version, of the file that is called FILE, the icon, and
# the messages of MESSAGES, an .rc from one of the functions below. The resource compilers do not agree on how a string
# comes in from outside, so the file is written here.
function(hbk_add_resources target file description messages)
    set(HBK_VERSION_FILE ${file})
    set(HBK_VERSION_DESCRIPTION ${description})
    set(HBK_VERSION_MESSAGES ${messages})
    set(HBK_VERSION_ICON ${CMAKE_SOURCE_DIR}/installer/handlebroker.ico)
    file(STRINGS ${CMAKE_SOURCE_DIR}/LICENSE HBK_VERSION_COPYRIGHT REGEX "^Copyright ")
    get_filename_component(HBK_VERSION_NAME ${file} NAME_WE)
    string(REPLACE "." "," HBK_VERSION_NUMBERS "${PROJECT_VERSION}.0")
    set(HBK_VERSION_TYPE VFT_APP)
    if(file MATCHES "[.]dll$")
        set(HBK_VERSION_TYPE VFT_DLL)
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_resources.rc)
    configure_file(${CMAKE_SOURCE_DIR}/cmake/resources.rc.in ${source} @ONLY)
    set_source_files_properties(
        ${source} PROPERTIES OBJECT_DEPENDS "${messages};${HBK_VERSION_ICON}"
    )
    target_sources(${target} PRIVATE ${source})
endfunction()

# hbk_add_messages(TARGET CATALOGUE ret_rc)
#
# Compiles a message catalogue: its header can be included by TARGET, ret_rc is the resource for it.
function(hbk_add_messages target catalogue ret_rc)
    find_program(HBK_MESSAGE_COMPILER NAMES x86_64-w64-mingw32-windmc windmc mc REQUIRED)
    get_filename_component(name ${catalogue} NAME_WE)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/messages)
    file(MAKE_DIRECTORY ${folder})
    # Both compilers know these: Unicode messages, names of their own for the binary files.
    add_custom_command(
        OUTPUT ${folder}/${name}.h ${folder}/${name}.rc
        COMMAND ${HBK_MESSAGE_COMPILER} -U -b -h ${folder} -r ${folder} ${catalogue}
        DEPENDS ${catalogue}
        COMMENT "Compiling messages ${name}"
        VERBATIM
    )
    target_sources(${target} PRIVATE ${folder}/${name}.h)
    # For the resource compiler too, which looks for the binary file there.
    target_include_directories(${target} PUBLIC ${folder})
    set(${ret_rc} ${folder}/${name}.rc PARENT_SCOPE)
endfunction()

# hbk_add_result_messages(ret_rc FILE.def...)
#
# A message for each result of these files: its number is the id, its text the message.
function(hbk_add_result_messages ret_rc)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/messages)
    set(script ${CMAKE_SOURCE_DIR}/cmake/message_table.py)
    file(MAKE_DIRECTORY ${folder})
    # The .rc comes after the table that it takes in: who depends on it depends on both.
    add_custom_command(
        OUTPUT ${folder}/results.rc
        BYPRODUCTS ${folder}/results.bin
        COMMAND ${Python3_EXECUTABLE} ${script} ${folder}/results.bin ${folder}/results.rc ${ARGN}
        DEPENDS ${script} ${ARGN}
        COMMENT "Compiling messages results"
        VERBATIM
    )
    set(${ret_rc} ${folder}/results.rc PARENT_SCOPE)
endfunction()
