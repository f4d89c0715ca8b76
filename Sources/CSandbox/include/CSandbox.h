#pragma once

#include "nft.h"
#include "process.h"
