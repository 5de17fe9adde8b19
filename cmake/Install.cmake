# What is shipped, and where in its folder it lies: the one list from which the MSI, the zip and "cmake --install"
# are made (installer/build.sh). Components: service, tools, sdk, and scripts, which is for those without the MSI.

if(NOT WIN32)
    return()
endif()

# The static library of the SDK is one file: what the client is made of stands in four. Microsoft's linker and ar
# both join archives; the order is that of the link.
set(HBK_SDK_ARCHIVE
    ${CMAKE_BINARY_DIR}/sdk/${CMAKE_STATIC_LIBRARY_PREFIX}handlebroker${CMAKE_STATIC_LIBRARY_SUFFIX}
)
set(archives
    $<TARGET_FILE:hbk_client> $<TARGET_FILE:hbk_codec> $<TARGET_FILE:hbk_base> $<TARGET_FILE:${HBK_CJSON_TARGET}>
)
set(HBK_SDK_LIBRARIES advapi32)
if(MSVC)
    set(join ${CMAKE_AR} /NOLOGO /OUT:${HBK_SDK_ARCHIVE} ${archives})
else()
    set(join ${CMAKE_COMMAND} -DAR=${CMAKE_AR} -DOUT=${HBK_SDK_ARCHIVE}
             -P ${CMAKE_SOURCE_DIR}/cmake/JoinArchives.cmake ${archives}
    )
    # The stack protector's, by file: by name a program would get the DLL.
    list(APPEND HBK_SDK_LIBRARIES -l:libssp.a)
endif()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/sdk)
add_custom_command(
    OUTPUT ${HBK_SDK_ARCHIVE}
    COMMAND ${join}
    DEPENDS hbk_client hbk_codec hbk_base ${CMAKE_SOURCE_DIR}/cmake/JoinArchives.cmake
    COMMENT "Joining the archives of the client SDK"
    VERBATIM
)
# Microsoft's linker wants an import library of its own form; its own builds have one of this name.
set(HBK_SDK_MSVC_IMPORT)
if(MINGW AND NOT HBK_CLIENT_ONLY)
    set(HBK_SDK_MSVC_IMPORT ${CMAKE_BINARY_DIR}/sdk/handlebroker_dll.lib)
    set(exports ${CMAKE_BINARY_DIR}/sdk/handlebroker.def)
    find_program(HBK_DLLTOOL llvm-dlltool REQUIRED)
    target_link_options(hbk_client_dll PRIVATE -Wl,--output-def,${exports})
    add_custom_command(
        OUTPUT ${HBK_SDK_MSVC_IMPORT}
        COMMAND ${HBK_DLLTOOL} -m i386:x86-64 -d ${exports} -D handlebroker.dll -l ${HBK_SDK_MSVC_IMPORT}
        DEPENDS hbk_client_dll
        COMMENT "Making an import library for Microsoft's linker"
        VERBATIM
    )
endif()
add_custom_target(hbk_sdk ALL DEPENDS ${HBK_SDK_ARCHIVE} ${HBK_SDK_MSVC_IMPORT})

# The manual, to be read in a browser. Debian has the tool in the package cmark-gfm; Windows has none of its own.
set(manual_default ON)
if(CMAKE_HOST_WIN32)
    set(manual_default OFF)
endif()
option(HBK_MANUAL_HTML "Make HTML of the manual with cmark-gfm; else its Markdown is installed" ${manual_default})
if(HBK_MANUAL_HTML)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    find_program(HBK_CMARK cmark-gfm REQUIRED)
    set(manual ${CMAKE_BINARY_DIR}/sdk/man)
    file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/client/man/*.md)
    add_custom_command(
        OUTPUT ${manual}/index.html
        COMMAND
            ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/manual.py ${HBK_CMARK} ${CMAKE_SOURCE_DIR}/client/man
            ${manual}
        DEPENDS ${pages} ${CMAKE_SOURCE_DIR}/cmake/manual.py
        COMMENT "Making HTML of the manual"
        VERBATIM
    )
    add_custom_target(hbk_manual ALL DEPENDS ${manual}/index.html)
endif()

# All that "cmake --install" takes, for who does not build the tests.
add_custom_target(hbk_ship)
add_dependencies(hbk_ship hbk_sdk hbk_client_dll hbctl)
if(HBK_MANUAL_HTML)
    add_dependencies(hbk_ship hbk_manual)
endif()

if(NOT HBK_CLIENT_ONLY)
    add_dependencies(hbk_ship handlebroker)
    install(TARGETS handlebroker RUNTIME DESTINATION . COMPONENT service)
    install(
        FILES installer/ADMIN.md installer/forwarding.xml CHANGELOG.md installer/THIRD_PARTY.txt
        DESTINATION .
        COMPONENT service
    )
    install(FILES LICENSE DESTINATION . RENAME LICENSE.txt COMPONENT service)
    install(FILES installer/install.cmd installer/uninstall.cmd DESTINATION . COMPONENT scripts)
endif()
install(TARGETS hbctl RUNTIME DESTINATION . COMPONENT tools)

install(
    TARGETS hbk_client_dll
    RUNTIME DESTINATION sdk/bin COMPONENT sdk
    ARCHIVE DESTINATION sdk/lib COMPONENT sdk
)
install(FILES ${HBK_SDK_ARCHIVE} ${HBK_SDK_MSVC_IMPORT} DESTINATION sdk/lib COMPONENT sdk)
install(DIRECTORY client/include/ DESTINATION sdk/include COMPONENT sdk FILES_MATCHING PATTERN "*.h")
if(HBK_MANUAL_HTML)
    install(DIRECTORY ${manual}/ DESTINATION sdk/man COMPONENT sdk FILES_MATCHING PATTERN "*.html")
else()
    install(DIRECTORY client/man/ DESTINATION sdk/man COMPONENT sdk FILES_MATCHING PATTERN "*.md")
endif()
install(FILES client/man/hbctl.schema.json DESTINATION sdk/man COMPONENT sdk)
install(FILES proto/PROTOCOL.md DESTINATION sdk COMPONENT sdk)
# What has been run leaves more in these folders than is theirs.
install(
    DIRECTORY client/languages/
    DESTINATION sdk/languages
    COMPONENT sdk
    FILES_MATCHING REGEX "/[a-z]+/[a-z_]+\\.(c|cs|mjs|ps1|py)$"
    PATTERN node_modules EXCLUDE
    PATTERN __pycache__ EXCLUDE
)

include(CMakePackageConfigHelpers)
set(package ${CMAKE_BINARY_DIR}/sdk/package)
get_filename_component(HBK_SDK_ARCHIVE_NAME ${HBK_SDK_ARCHIVE} NAME)
set(HBK_SDK_IMPORT_NAME
    ${CMAKE_IMPORT_LIBRARY_PREFIX}handlebroker_dll${CMAKE_IMPORT_LIBRARY_SUFFIX}
)
configure_file(installer/sdk/HandleBrokerConfig.cmake.in ${package}/HandleBrokerConfig.cmake @ONLY)
# Before 1.0 a minor version may break.
write_basic_package_version_file(
    ${package}/HandleBrokerConfigVersion.cmake
    VERSION ${PROJECT_VERSION}
    COMPATIBILITY SameMinorVersion
)
string(REPLACE ";" " -l" HBK_SDK_PC_LIBRARIES "-l${HBK_SDK_LIBRARIES}")
string(REPLACE "-l-l" "-l" HBK_SDK_PC_LIBRARIES "${HBK_SDK_PC_LIBRARIES}")
configure_file(installer/sdk/handlebroker.pc.in ${package}/handlebroker.pc @ONLY)
install(
    FILES ${package}/HandleBrokerConfig.cmake ${package}/HandleBrokerConfigVersion.cmake
    DESTINATION sdk/lib/cmake/HandleBroker
    COMPONENT sdk
)
install(FILES ${package}/handlebroker.pc DESTINATION sdk/lib/pkgconfig COMPONENT sdk)
