// SPDX-License-Identifier: Apache-2.0
#pragma once
// Types and numbers alone, under their names in lower case: nothing is linked, modules are opened as the program runs.
#define CRYPTOKI_GNU 1
#include <p11-kit-1/p11-kit/pkcs11.h>
