# The libraries that the project uses, under names of its own: hbk::libuv (the service's, on Windows),
# hbk::cjson, hbk::cmocka, hbk::jansson (native only). Where they come from (cmake/setup.sh, or vcpkg
# on Windows) and how each source spells its targets is known here and nowhere else.

# It makes the message table of the results, and runs half of the tests.
find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)

# Wraps the first of the given targets that exists.
function(hbk_wrap_dependency name)
    foreach(candidate IN LISTS ARGN)
        if(TARGET ${candidate})
            add_library(hbk_${name} INTERFACE)
            add_library(hbk::${name} ALIAS hbk_${name})
            target_link_libraries(hbk_${name} INTERFACE ${candidate})
            set(HBK_WRAPPED_TARGET ${candidate} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "The package of ${name} was found, but it defines none of: ${ARGN}")
endfunction()

function(hbk_require_package package)
    if(NOT ${package}_FOUND)
        message(
            FATAL_ERROR
                "${package} was not found. On Debian run cmake/setup.sh (\"make setup\"; for x86 with --x86) first; on "
                "Windows use a preset with VCPKG_ROOT set."
        )
    endif()
endfunction()

find_package(cJSON CONFIG)
hbk_require_package(cJSON)
hbk_wrap_dependency(cjson cjson cJSON::cjson)
# The client SDK has its archive in it (cmake/Install.cmake).
set(HBK_CJSON_TARGET ${HBK_WRAPPED_TARGET})
get_target_property(type ${HBK_WRAPPED_TARGET} TYPE)
if(WIN32 AND NOT type STREQUAL "SHARED_LIBRARY")
    # Without this its header marks every function for export from whatever includes it.
    target_compile_definitions(hbk_cjson INTERFACE CJSON_HIDE_SYMBOLS)
endif()

find_package(cmocka CONFIG)
hbk_require_package(cmocka)
if(TARGET cmocka::cmocka OR TARGET cmocka::static OR TARGET cmocka)
    hbk_wrap_dependency(cmocka cmocka::cmocka cmocka::static cmocka)
else()
    # Before it exported targets (1.1.5 and its snapshots, as vcpkg long had them).
    add_library(hbk_cmocka INTERFACE)
    add_library(hbk::cmocka ALIAS hbk_cmocka)
    target_link_libraries(hbk_cmocka INTERFACE ${CMOCKA_LIBRARIES})
    target_include_directories(
        hbk_cmocka SYSTEM INTERFACE ${CMOCKA_INCLUDE_DIR} ${CMOCKA_INCLUDE_DIRS}
    )
endif()

if(WIN32 AND NOT HBK_CLIENT_ONLY)
    find_package(libuv CONFIG)
    hbk_require_package(libuv)
    # The exported alias differs by version; static first, for the service ships as one file.
    hbk_wrap_dependency(libuv libuv::uv_a libuv::libuv libuv::uv uv_a uv)
endif()

if(NOT WIN32)
    # A second JSON parser, for tests/fuzz to compare with. Debian's package has no CMake package.
    find_path(HBK_JANSSON_INCLUDE_DIR jansson.h)
    find_library(HBK_JANSSON_LIBRARY jansson)
    set(jansson_FOUND ${HBK_JANSSON_LIBRARY})
    hbk_require_package(jansson)
    add_library(hbk_jansson INTERFACE)
    add_library(hbk::jansson ALIAS hbk_jansson)
    target_include_directories(hbk_jansson SYSTEM INTERFACE ${HBK_JANSSON_INCLUDE_DIR})
    target_link_libraries(hbk_jansson INTERFACE ${HBK_JANSSON_LIBRARY})
endif()
