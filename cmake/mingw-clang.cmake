# Cross-builds for 64-bit Windows with clang as the compiler and mingw-w64's headers, libraries and
# linker: a second opinion on what mingw-gcc.cmake builds, and the compile commands for clang-tidy.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET x86_64-w64-mingw32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_AR x86_64-w64-mingw32-ar)
set(CMAKE_RANLIB x86_64-w64-mingw32-ranlib)

# clang's driver does not know Debian's folder names with the thread model in them (".../12-win32"),
# so gcc is asked where its support library is.
execute_process(
    COMMAND x86_64-w64-mingw32-gcc-win32 -print-libgcc-file-name
    OUTPUT_VARIABLE HBK_MINGW_LIBGCC
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY
)
get_filename_component(HBK_MINGW_LIBGCC_DIR "${HBK_MINGW_LIBGCC}" DIRECTORY)
foreach(kind EXE SHARED MODULE)
    set(CMAKE_${kind}_LINKER_FLAGS_INIT "-L${HBK_MINGW_LIBGCC_DIR}")
endforeach()

# By itself it would search the build machine's /usr/include too, and find Linux headers there.
# (Not in CMAKE_C_FLAGS, which the linker gets too, where clang warns that it has no use for it.)
add_compile_options(
    "$<$<COMPILE_LANGUAGE:C>:-nostdlibinc;-isystem;/usr/x86_64-w64-mingw32/include>"
)

# Programs are the build machine's; libraries, headers and packages are the target's.
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# Packages are found through CMAKE_PREFIX_PATH, which stands outside that root.
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
