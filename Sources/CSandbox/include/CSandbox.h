#pragma once

#include "cgroup.h"
#include "channel.h"
#include "inside.h"
#include "nft.h"
#include "probe.h"
#include "process.h"
#include "pump.h"
#include "serve.h"
#include "wire.h"
