// Optional: a network of our own. The app goes out through it, and stores answer inside it.

@description('Required. Ending of the names.')
param suffix string

@description('Required. Region.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Optional. Address range of the subnet that the app goes out through.')
param appPrefix string = '10.60.0.0/24'

@description('Optional. Address range of the subnet of the private endpoints.')
param endpointsPrefix string = '10.60.1.0/24'

@description('Required. Resource id of the host\'s storage account.')
param hostStorageId string

@description('Required. Resource id of the storage account of blobs about people.')
param dataStorageId string

@description('Required. Resource id of the database account.')
param cosmosId string

@description('Required. Resource id of the vault.')
param vaultId string

var blobZone = 'privatelink.blob.${environment().suffixes.storage}'
var queueZone = 'privatelink.queue.${environment().suffixes.storage}'
var tableZone = 'privatelink.table.${environment().suffixes.storage}'
var cosmosZone = 'privatelink.documents.azure.com'
var vaultZone = 'privatelink.vaultcore.azure.net'
var zones = [blobZone, queueZone, tableZone, cosmosZone, vaultZone]
var endpoints = [
  { name: 'host-blob', target: hostStorageId, group: 'blob', zone: blobZone }
  { name: 'host-queue', target: hostStorageId, group: 'queue', zone: queueZone }
  { name: 'host-table', target: hostStorageId, group: 'table', zone: tableZone }
  { name: 'data-blob', target: dataStorageId, group: 'blob', zone: blobZone }
  { name: 'cosmos', target: cosmosId, group: 'Sql', zone: cosmosZone }
  { name: 'vault', target: vaultId, group: 'vault', zone: vaultZone }
]

resource network 'Microsoft.Network/virtualNetworks@2023-11-01' = {
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [appPrefix, endpointsPrefix]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: appPrefix
          delegations: [
            {
              name: 'app'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointsPrefix
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = [for name in zones: {
  name: name
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (name, number) in zones: {
  parent: zone[number]
  name: 'to-${suffix}'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}]

resource endpoint 'Microsoft.Network/privateEndpoints@2023-11-01' = [for one in endpoints: {
  name: 'pe-${one.name}-${suffix}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: '${network.id}/subnets/endpoints'
    }
    privateLinkServiceConnections: [
      {
        name: one.name
        properties: {
          privateLinkServiceId: one.target
          groupIds: [one.group]
        }
      }
    ]
  }
}]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2023-11-01' = [for (one, number) in endpoints: {
  parent: endpoint[number]
  name: 'default'
  dependsOn: [link]
  properties: {
    privateDnsZoneConfigs: [
      {
        name: one.name
        properties: {
          privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', one.zone)
        }
      }
    ]
  }
}]

@description('Subnet that the app goes out through.')
output integrationSubnetId string = '${network.id}/subnets/app'
